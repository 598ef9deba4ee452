"""The six backbones with random weights, as plain functions of arrays."""

from collections.abc import Callable, Mapping, Sequence

import torch
from backbone_models.lively import Liveliness, attend, settle
from backbone_models.size import Size
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_weights
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

from mmer.training.audio import AudioSettings, audio_encoder

Inputs = Sequence[tuple[Tensor, ...]]
Weights = Callable[[nn.Module, Liveliness], None]
"""Draws every parameter of a network: `enliven`, or `uneven` with channels of unlike size."""

_CNN = Liveliness(2.0, 2.0, 0.2)
"""Half of the variance ends in ReLU."""
_TRANSFORMER = Liveliness(0.3, 4.0, 0.02)
"""Of what comes out of twelve layers of ALBERT, half differs between tokens, and rounding all to bfloat16 costs a
centred cosine of 0.0006. With gain 1 throughout and biases of 0.2 that is 0.1 % and 0.08: any two tokens become one."""


class RepVggTrained(nn.Module):
    """The block as it is trained: 3x3 and 1x1 convolutions and, where it fits, the input, each normalised."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.dense = _normalised(channels_in, channels_out, 3, stride)
        self.point = _normalised(channels_in, channels_out, 1, stride)
        self.same = nn.BatchNorm2d(channels_in) if channels_in == channels_out and stride == 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Return `[N, channels_out, H, W]`."""
        y = self.dense(x) + self.point(x)
        return torch.relu(y if self.same is None else y + self.same(x))

    def fused(self) -> nn.Module:
        """Return the block as it is deployed: one convolution and ReLU."""
        conv, norm = self.dense[0], self.dense[1]
        kernel, bias = _folded(conv.weight, norm)
        point, offset = _folded(nn.functional.pad(self.point[0].weight, (1, 1, 1, 1)), self.point[1])
        kernel, bias = kernel + point, bias + offset
        if self.same is not None:
            unit = nn.functional.pad(torch.eye(conv.in_channels)[:, :, None, None], (1, 1, 1, 1))
            straight, offset = _folded(unit, self.same)
            kernel, bias = kernel + straight, bias + offset
        deployed = nn.Conv2d(conv.in_channels, conv.out_channels, 3, conv.stride, 1)
        deployed.load_state_dict({"weight": kernel, "bias": bias})
        return nn.Sequential(deployed, nn.ReLU())


class Answers(nn.Module):
    """A transformer that gives its sequence and, where it has one, its summary."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, values: Tensor, mask: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return `[B, T, D]` and perhaps `[B, D]`."""
        found = self.model(values) if mask is None else self.model(values, attention_mask=mask)
        pooled = getattr(found, "pooler_output", None)
        return (found.last_hidden_state,) if pooled is None else (found.last_hidden_state, pooled)


class Steps(nn.Module):
    """The audio branch without its mask."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, samples: Tensor) -> Tensor:
        """Return `[1, S, D]` of `[1, N]`."""
        values: Tensor = self.encoder(samples).values
        return values


def repvgg(size: Size, seen: Inputs, weights: Weights) -> nn.Module:
    """Return RepVGG-A0, re-parameterised."""
    layers: list[nn.Module] = []
    given = 3
    for count, width in size.stages:
        for number in range(size.of(count)):
            layers.append(RepVggTrained(given, width, 1 if number else 2))
            given = width
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(given, 1000)).eval()
    weights(model, _CNN)
    settle(model, (torch.cat([given[0] for given in seen[:16]]),))
    attend(model, model[-1], seen)
    return nn.Sequential(*(part.fused() if isinstance(part, RepVggTrained) else part for part in model)).eval()


def cnn_gru(size: Size, seen: Inputs, weights: Weights) -> nn.Module:
    """Return the published audio branch of `cafes`: convolutions, a bidirectional GRU, attention."""
    model = Steps(audio_encoder(AudioSettings(recurrent_layers=size.of(4)), None)).eval()
    weights(model, _CNN)
    settle(model, seen[0])
    return model


def albert(size: Size, seen: Inputs, weights: Weights) -> nn.Module:
    """Return ALBERT-base: twelve layers of one weight."""
    model = AlbertModel(_eager(AlbertConfig(**_sizes(size), vocab_size=size.words)))
    return _transformer(model, model.pooler, seen, weights)


def bert(size: Size, seen: Inputs, weights: Weights) -> nn.Module:
    """Return BERT-base."""
    model = BertModel(_eager(BertConfig(**_sizes(size), vocab_size=size.vocabulary)))
    return _transformer(model, model.pooler.dense, seen, weights)


def wav2vec2(size: Size, seen: Inputs, weights: Weights) -> nn.Module:
    """Return wav2vec2-base."""
    config = Wav2Vec2Config(**_sizes(size), conv_dim=(size.heard,) * 7, layerdrop=0.0, apply_spec_augment=False)
    model = Wav2Vec2Model(_eager(config))
    convolution = model.encoder.pos_conv_embed.conv
    parametrize.remove_parametrizations(convolution, "weight")
    return _transformer(model, None, seen, weights)


def vit(size: Size, seen: Inputs, weights: Weights) -> nn.Module:
    """Return ViT-base/16."""
    model = ViTModel(_eager(ViTConfig(**_sizes(size), image_size=size.side)))
    return _transformer(model, model.pooler.dense, seen, weights)


Builder = Callable[[Size, Inputs, Weights], nn.Module]
"""Builds a backbone, given inputs that it is to tell apart and what draws its weights."""


def _sizes(size: Size) -> Mapping[str, int]:
    """Return what the configurations of all transformers have in common."""
    return {
        "hidden_size": size.width,
        "num_hidden_layers": size.of(12),
        "num_attention_heads": size.heads,
        "intermediate_size": 4 * size.width,
    }


def _transformer(model: nn.Module, summary: nn.Linear | None, seen: Inputs, weights: Weights) -> nn.Module:
    weights(model, _TRANSFORMER)
    whole = Answers(model.eval()).eval()
    if summary is not None:
        attend(whole, summary, seen)
    return whole


def _eager(config: object) -> object:
    """Return a configuration whose attention is written out, as exporters want it."""
    config._attn_implementation = "eager"  # type: ignore[attr-defined]  # noqa: SLF001
    return config


def _normalised(channels_in: int, channels_out: int, side: int, stride: int) -> nn.Sequential:
    conv = nn.Conv2d(channels_in, channels_out, side, stride, side // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out))


def _folded(kernel: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return kernel and bias of a convolution followed by a norm."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    with torch.no_grad():
        fused = fuse_conv_bn_weights(kernel, None, mean, variance, norm.eps, norm.weight, norm.bias)
    return fused[0].detach(), fused[1].detach()
