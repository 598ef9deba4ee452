"""Dropout that is the same however many processes share a batch."""

from torch import Tensor, nn

from mmer.training.ranks import joined, places


class Dropout(nn.Dropout):
    """Draws for the rows of all ranks and takes those of this one, as generators are in step."""

    def forward(self, x: Tensor) -> Tensor:
        """Return `[B, ...]` for `[B, ...]`, of the same shape on all ranks but for `B`."""
        if not self.training or not self.p or not joined():
            return super().forward(x)
        rows, before = places(x)
        kept = x.new_empty(rows, *x.shape[1:]).bernoulli_(1 - self.p).div_(1 - self.p)
        return x * kept[before : before + len(x)]
