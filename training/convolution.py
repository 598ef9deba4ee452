"""Convolutions over time that padding cannot reach."""

from torch import Tensor, nn

from mmer.training.masked import MaskedBatchNorm, steps_mask


class ConvNorm(nn.Module):
    """Convolution, normalisation and LeakyReLU; padded steps come out as 0."""

    def __init__(self, conv: nn.Conv1d) -> None:
        super().__init__()
        self.conv = conv
        self.norm = MaskedBatchNorm(conv.out_channels)

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return `[B, C, S]` and lengths `[B]` as if each sample had been alone."""
        x = self.conv(x)
        if lengths is not None:
            reach = 2 * int(self.conv.padding[0]) - self.conv.kernel_size[0]
            lengths = (lengths + reach) // self.conv.stride[0] + 1
        x = self.norm(x, None if lengths is None else steps_mask(lengths, x.shape[2]))
        return nn.functional.leaky_relu(x), lengths


class Pool(nn.Module):
    """The largest of so many steps; a pool that reaches into the padding would not have been there."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.pool = nn.MaxPool2d((1, steps))  # torch.export fixes the length that it sees in MaxPool1d

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return `[B, C, S]` and lengths `[B]`; padded steps come out as 0."""
        x = self.pool(x.unsqueeze(2)).squeeze(2)
        if lengths is None:
            return x, None
        lengths = lengths // self.steps
        return x * steps_mask(lengths, x.shape[2]).unsqueeze(1), lengths
