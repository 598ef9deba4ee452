"""Six backbones at small sizes, with random weights that vary as trained ones do, as ONNX files with inputs for them.

What makes trained weights hard to quantise is put in on purpose: batch norms whose statistics differ much from channel
to channel, fused into their convolutions; and in transformers a few channels of every norm that are 30 times as large
as the others, which the layers that read them weigh 30 times less.
"""

import io
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    AlbertConfig,
    AlbertModel,
    BertConfig,
    BertModel,
    ViTConfig,
    ViTModel,
    Wav2Vec2Config,
    Wav2Vec2Model,
)

from mmer.edge.tensors import Tensors
from mmer.training.repvgg import RepVggBlock, fused

WIDTH, LAYERS, HEADS = 128, 4, 4
TOKENS, VOCABULARY = 24, 500
OUTLIERS, LOUDER = 3, 30.0


@dataclass(frozen=True, slots=True)
class Backbone:
    """A graph, inputs to calibrate it with, and others to judge it by."""

    name: str
    content: bytes
    inputs: tuple[Tensors, ...]
    fresh: tuple[Tensors, ...]


class First(nn.Module):
    """The sequence that a transformer of the package `transformers` gives."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, T, D]`."""
        states: Tensor = self.model(x).last_hidden_state
        return states


class Heard(nn.Module):
    """Convolutions over bands and time, then a recurrent net in both directions."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for given, made in ((1, 16), (16, 32), (32, 32), (32, 64)):
            layers += [nn.Conv2d(given, made, 3, padding=1), nn.BatchNorm2d(made), nn.LeakyReLU(0.1), nn.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers)
        self.recurrent = nn.GRU(256, 64, batch_first=True, bidirectional=True)
        self.last = nn.Linear(128, 64)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, T, 64]` of `[B, 1, 64, 64]`."""
        seen = self.layers(x).flatten(1, 2).transpose(1, 2)
        made: Tensor = self.last(self.recurrent(seen)[0])
        return made


def _repvgg() -> nn.Module:
    widths = (16, 32, 32, 64, 64, 64)
    blocks: list[nn.Module] = [nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.ReLU()]
    for given, made in zip((16, *widths), widths, strict=False):
        blocks += [RepVggBlock(given, made), *([nn.MaxPool2d(2)] if given != made else [])]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(64 * 36, 64))


def _small(config: type, **more: object) -> object:
    sizes = {
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": 4 * WIDTH,
    }
    return config(**sizes, **more, attn_implementation="eager")


def _albert() -> nn.Module:
    return First(AlbertModel(_small(AlbertConfig, vocab_size=VOCABULARY, embedding_size=64), add_pooling_layer=False))


def _bert() -> nn.Module:
    return First(BertModel(_small(BertConfig, vocab_size=VOCABULARY), add_pooling_layer=False))


def _vit() -> nn.Module:
    return First(ViTModel(_small(ViTConfig, image_size=48, patch_size=8), add_pooling_layer=False))


def _wav2vec2() -> nn.Module:
    sizes = {"conv_dim": (64,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
    return First(Wav2Vec2Model(_small(Wav2Vec2Config, **sizes, apply_spec_augment=False)))


def _tokens(rng: np.random.Generator) -> Tensor:
    """Return ids that are as unevenly frequent as words."""
    shares = 1 / np.arange(1, VOCABULARY + 1)
    return torch.from_numpy(rng.choice(VOCABULARY, (1, TOKENS), p=shares / shares.sum()))


def _picture(rng: np.random.Generator, size: int, channels: int) -> Tensor:
    """Return a smooth pattern with noise, of a brightness of its own."""
    coarse = torch.from_numpy(rng.normal(rng.normal(0, 0.5), 1, (1, channels, 6, 6)))
    smooth = nn.functional.interpolate(coarse, (size, size), mode="bicubic")
    return (smooth + torch.from_numpy(rng.normal(0, 0.1, smooth.shape))).float()


def _sound(rng: np.random.Generator) -> Tensor:
    """Return half a second of tones and noise."""
    times = np.arange(8000) / 16_000
    tones = sum(rng.normal() * np.sin(2 * np.pi * rng.uniform(80, 4000) * times + rng.uniform(0, 6)) for _ in range(5))
    return torch.from_numpy(tones + rng.normal(0, 0.1, 8000))[None].float()


MODELS: Mapping[str, tuple[Callable[[], nn.Module], Callable[[np.random.Generator], Tensor]]] = {
    "repvgg": (_repvgg, lambda rng: _picture(rng, 48, 3)),
    "cnn+bigru": (Heard, lambda rng: _picture(rng, 64, 1)),
    "albert": (_albert, _tokens),
    "bert": (_bert, _tokens),
    "wav2vec2": (_wav2vec2, _sound),
    "vit": (_vit, lambda rng: _picture(rng, 48, 3)),
}


def backbone(name: str, samples: int = 48, fresh: int = 24, seed: int = 0) -> Backbone:
    """Build one of `MODELS`."""
    build, draw = MODELS[name]
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    given = [draw(rng) for _ in range(samples + fresh)]
    model = _varied(build(), given, np.random.default_rng(seed + 1))
    feeds = [{"x": x.numpy()} for x in given]
    return Backbone(name, _exported(model, given[0]), tuple(feeds[:samples]), tuple(feeds[samples:]))


def _varied(model: nn.Module, given: Sequence[Tensor], rng: np.random.Generator) -> nn.Module:
    """Draw weights, settle the batch norms, and let channels differ."""
    with torch.no_grad():
        for module in model.modules():
            _draw(module, rng)
        model.train()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        model(torch.cat(list(given[:16])))
        model.eval()
        loud = rng.choice(WIDTH, OUTLIERS, replace=False)
        for norm, readers in _norms(model):
            norm.weight[loud] *= LOUDER
            for reader in readers:
                reader.weight[:, loud] /= LOUDER
    return fused(model)


def _draw(module: nn.Module, rng: np.random.Generator) -> None:
    if isinstance(module, nn.BatchNorm2d):
        module.momentum = 1.0
        count = module.num_features
        module.weight.copy_(torch.from_numpy(np.exp(rng.normal(0, 1, count))))  # as of RepVGG after its training
        module.bias.copy_(torch.from_numpy(rng.normal(0, 0.5, count)))
    elif isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Embedding)) and not _normalised(module):
        fan = module.weight[0].numel() if not isinstance(module, nn.Embedding) else 1
        module.weight.copy_(torch.from_numpy(rng.standard_t(5, tuple(module.weight.shape))) / math.sqrt(fan))
        if getattr(module, "bias", None) is not None:
            module.bias.copy_(torch.from_numpy(rng.normal(0, 0.2, tuple(module.bias.shape))))
    elif isinstance(module, (nn.LayerNorm, nn.GroupNorm)):
        module.weight.copy_(torch.from_numpy(rng.normal(1, 0.2, tuple(module.weight.shape))))
        module.bias.copy_(torch.from_numpy(rng.normal(0, 0.2, tuple(module.bias.shape))))


def _normalised(module: nn.Module) -> bool:
    """Tell whether the weight is computed from others at each call."""
    return hasattr(module, "parametrizations")


def _norms(model: nn.Module) -> Iterator[tuple[nn.Module, Sequence[nn.Linear]]]:
    """Yield the norms of transformer layers, each with what multiplies its output."""
    for module in model.modules():
        kind = type(module).__name__
        if kind == "ViTLayer":
            attention = module.attention.attention
            yield module.layernorm_before, (attention.query, attention.key, attention.value)
            yield module.layernorm_after, (module.intermediate.dense,)
        elif kind == "BertLayer":
            yield module.attention.output.LayerNorm, (module.intermediate.dense,)
            yield module.output.LayerNorm, ()
        elif kind == "AlbertLayer":
            yield module.attention.LayerNorm, (module.ffn,)
        elif kind == "Wav2Vec2EncoderLayer":
            yield module.layer_norm, (module.feed_forward.intermediate_dense,)


def _exported(model: nn.Module, example: Tensor) -> bytes:
    with io.BytesIO() as file, warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model, (example,), input_names=["x"], output_names=["y"], dynamo=True, verbose=False
        )
        program.save(file)
        return file.getvalue()
