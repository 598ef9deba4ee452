"""CAFES once more, from the description of its layers and with torch's own, under the names that its authors gave.

What their code gets wrong is put right here: the face net is not frozen, and sound fills its window.
"""

import pytest
import torch
from torch import nn
from torch.nn.functional import leaky_relu, max_pool1d, pad
from transformers import AlbertConfig, AlbertModel

from mmer.training.zoo.cafes import PRESETS


class Block(nn.Module):
    def __init__(self, narrow, wide):
        super().__init__()
        self.rbr_identity = nn.BatchNorm2d(narrow) if narrow == wide else None
        self.rbr_dense = nn.Sequential()
        self.rbr_dense.add_module("conv", nn.Conv2d(narrow, wide, 3, padding=1, bias=False))
        self.rbr_dense.add_module("bn", nn.BatchNorm2d(wide))
        self.rbr_1x1 = nn.Sequential()
        self.rbr_1x1.add_module("conv", nn.Conv2d(narrow, wide, 1, bias=False))
        self.rbr_1x1.add_module("bn", nn.BatchNorm2d(wide))

    def forward(self, x):
        identity = 0 if self.rbr_identity is None else self.rbr_identity(x)
        return (self.rbr_dense(x) + self.rbr_1x1(x) + identity).relu()


class Deployed(nn.Module):
    """A block with its branches summed into one convolution."""

    def __init__(self, block):
        super().__init__()
        wide, narrow = block.rbr_dense.conv.weight.shape[:2]
        self.rbr_reparam = nn.Conv2d(narrow, wide, 3, padding=1)
        pairs = [
            (block.rbr_dense.conv.weight, block.rbr_dense.bn),
            (pad(block.rbr_1x1.conv.weight, (1,) * 4), block.rbr_1x1.bn),
        ]
        if block.rbr_identity is not None:
            pairs.append((pad(torch.eye(wide)[:, :, None, None], (1,) * 4), block.rbr_identity))
        scales = [norm.weight / (norm.running_var + norm.eps).sqrt() for _, norm in pairs]
        summed = zip(pairs, scales, strict=True)
        self.rbr_reparam.weight.data = sum(kernel * s[:, None, None, None] for (kernel, _), s in summed)
        summed = zip(pairs, scales, strict=True)
        self.rbr_reparam.bias.data = sum(norm.bias - norm.running_mean * s for (_, norm), s in summed)

    def forward(self, x):
        return self.rbr_reparam(x).relu()


class Local(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(channels, 64), nn.Linear(64, 32), nn.Linear(32, channels)

    def forward(self, deltas):
        return self.fc3(self.fc2(self.fc1(deltas).relu()).relu()).sigmoid()


class Weighing(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 1)

    def forward(self, local):
        """The mixture is missing, so its confidence is 1."""
        weight = self.fc(torch.stack([local, torch.ones_like(local)], -1)).sigmoid().squeeze(-1)
        return weight * local + (1 - weight)


def deltas(x):
    return pad((x[:, 1:] - x[:, :-1]).abs(), (0, 0, 1, 0))


def attended(attention, query, key, value):
    query, key, value = (x.transpose(0, 1) for x in (query, key, value))
    return attention(query, key, value)[0].transpose(0, 1)


def feed(width):
    return nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))


class Spatial(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(channels, heads)
        self.norm1, self.norm2, self.ffn = nn.LayerNorm(channels), nn.LayerNorm(channels), feed(channels)
        self.pos_embed = nn.Parameter(torch.randn(1, 36, channels))

    def forward(self, maps):
        x = maps.flatten(2).transpose(1, 2) + self.pos_embed
        x = self.norm1(x + attended(self.attention, x, x, x))
        return self.norm2(x + self.ffn(x)).transpose(1, 2)


class Positions(nn.Module):
    def __init__(self, steps, width):
        super().__init__()
        self.pos_embed = nn.Parameter(torch.randn(1, steps, width))


class Temporal(nn.Module):
    def __init__(self, width, steps, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads)
        self.norm, self.ffn, self.pos_encoding = nn.LayerNorm(width), feed(width), Positions(steps, width)

    def forward(self, x):
        x = x + self.pos_encoding.pos_embed[:, : x.shape[1]]
        return self.norm(self.norm(x + attended(self.attention, x, x, x)) + self.ffn(x))


class Audio(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        n = sizes.channels
        widths = [(1, n), (n, 2 * n), (2 * n, 2 * n), (2 * n, 4 * n), (4 * n, 4 * n), (4 * n, 8 * n), (8 * n, 8 * n)]
        for number, (narrow, wide) in enumerate(widths, start=1):
            conv = nn.Conv1d(1, n, 160, 4) if number == 1 else nn.Conv1d(narrow, wide, 3, padding=1)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"bn{number}", nn.BatchNorm1d(wide))
        self.variance_ffn, self.fusion_model = Local(8 * n), Weighing()
        self.gru = nn.GRU(8 * n, 4 * n, sizes.recurrent_layers, batch_first=True, bidirectional=True)
        self.tab = Temporal(8 * n, sizes.max_steps, sizes.heads)
        self.fc1 = nn.Linear(8 * n, sizes.width)

    def forward(self, samples):
        x = samples.unsqueeze(1)
        for number in range(1, 8):
            x = leaky_relu(getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x)))
            if number in {1, 3, 5, 7}:
                x = max_pool1d(x, 4)
        x = x.transpose(1, 2)
        x = x * self.fusion_model(self.variance_ffn(deltas(x)))
        return self.fc1(self.tab(self.gru(x)[0]))


class Asking(nn.Module):
    def __init__(self, query, key, width, heads):
        super().__init__()
        self.query_proj, self.key_proj = nn.Linear(query, width), nn.Linear(key, width)
        self.value_proj = nn.Linear(key, width)
        self.attn, self.norm = nn.MultiheadAttention(width, heads, dropout=0.1), nn.LayerNorm(width)

    def forward(self, query, key):
        asked = self.query_proj(query)
        return self.norm(asked + attended(self.attn, asked, self.key_proj(key), self.value_proj(key)))


class Text(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        config = AlbertConfig(
            vocab_size=sizes.vocab_size,
            embedding_size=sizes.embedding_size,
            hidden_size=sizes.hidden_size,
            num_hidden_layers=sizes.num_hidden_layers,
            num_attention_heads=sizes.num_attention_heads,
            intermediate_size=sizes.intermediate_size,
        )
        self.albert = AlbertModel(config)
        self.albert.embeddings.register_buffer("position_ids", torch.arange(512)[None])  # as transformers 4.17 kept it
        self.text_feature_affine = nn.Linear(256, 6)


class Encoder(nn.Module):
    def __init__(self, width, sizes):
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, sizes.heads, sizes.hidden)
        self.encoder = nn.TransformerEncoder(layer, sizes.layers, enable_nested_tensor=False)
        self.cls_emb = nn.Embedding(1, width)


class Model(nn.Module):
    """The whole, for given sizes."""

    def __init__(self, sizes, classes=4):
        super().__init__()
        video, audio, text, width = sizes.video, sizes.audio, sizes.text, sizes.fusion_width
        (a, b, c), (channels,) = video.stages
        self.T = Text(text)
        self.mtcnn = nn.ModuleDict({"pnet": nn.Conv2d(3, 10, 3)})
        stem = [nn.Conv2d(3, video.stem, 5, padding=2), nn.BatchNorm2d(video.stem), nn.ReLU(), nn.MaxPool2d(2)]
        blocks = [Block(video.stem, a), Block(a, b), Block(b, c), nn.MaxPool2d(2), Block(c, channels), nn.MaxPool2d(2)]
        self.V = nn.Sequential(*stem, *blocks)
        self.v_transformer = Encoder(video.projection[-1], video)
        layers, before = [], channels * 36
        for after in video.projection:
            layers += [nn.Linear(before, after), nn.ReLU()]
            before = after
        self.visual_feature_proj = nn.Sequential(*layers)
        self.sab = Spatial(channels, video.spatial_heads)
        self.confidence_net_visual_ffn, self.confidence_fusion_visual = Local(channels), Weighing()
        self.A = Audio(audio)
        self.av_attn = Asking(before, audio.width, width, sizes.fusion_heads)
        self.va_attn = Asking(audio.width, before, width, sizes.fusion_heads)
        self.tv_attn = Asking(text.hidden_size, width, width, sizes.fusion_heads)
        self.ta_attn = Asking(text.hidden_size, width, width, sizes.fusion_heads)
        self.v_out, self.ta_out = nn.Linear(width, classes), nn.Linear(width, classes)
        self.tv_out, self.a_out = nn.Linear(width, classes), nn.Linear(width, classes)
        self.weighted_fusion = nn.Linear(4, 1, bias=False)

    def forward(self, faces, samples, ids):
        """Faces `[B, T, 3, 48, 48]`, samples `[B, N]` and ids `[B, L]`, all of them valid, to logits."""
        batch, frames = faces.shape[:2]
        maps = self.sab(self.V(faces.flatten(0, 1))).unflatten(0, (batch, frames))
        trust = self.confidence_fusion_visual(self.confidence_net_visual_ffn(deltas(maps.mean(3))))
        seen = self.visual_feature_proj((maps * trust[..., None]).flatten(2))
        seen = self.v_transformer.encoder(seen.transpose(0, 1)).transpose(0, 1)
        heard = self.A(samples)
        told = self.T.albert(input_ids=ids).last_hidden_state[:, :1]
        video, audio = self.av_attn(seen, heard).mean(1), self.va_attn(heard, seen).mean(1)
        text_video, text_audio = self.tv_attn(told, video[:, None])[:, 0], self.ta_attn(told, audio[:, None])[:, 0]
        votes = [self.v_out(video), self.tv_out(text_video), self.ta_out(text_audio), self.a_out(audio)]
        return self.weighted_fusion(torch.stack(votes, -1)).squeeze(-1)


@pytest.fixture(scope="session")
def authors():
    """The authors' model in the sizes of a preset, with norms that have seen something."""

    def make(preset="tiny", classes=4, *, deployed=False):
        torch.manual_seed(5)
        model = Model(PRESETS[preset], classes).eval()
        for norm in model.modules():
            if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                norm.running_mean.normal_(0, 0.3)
                norm.running_var.uniform_(0.5, 2.0)
                norm.weight.data.uniform_(0.5, 1.5)
                norm.bias.data.normal_(0, 0.3)
        for place in (4, 5, 6, 8) if deployed else ():
            model.V[place] = Deployed(model.V[place])
        return model

    return make
