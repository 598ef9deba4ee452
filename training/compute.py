"""How a training is computed: on what, in which precision, and what time is given for memory."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from mmer.edge.errors import DeviceError, SettingError
from mmer.edge.inputs.constants import among, within
from mmer.training.batch import Batch, Confidence, Output
from mmer.training.model import EmotionModel

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS: Mapping[str, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
"""Of the products in the model; weights, losses and validation are float32 throughout."""


@dataclass(frozen=True, slots=True)
class ComputeSettings:
    """None of these but the precision changes what is learned."""

    precision: str = "float32"
    """One of `PRECISIONS`."""
    recompute: bool = False
    """Gradient checkpointing: the largest parts pass twice, and what they gave is not kept in between."""
    ahead: int = 0
    """So many steps are read and varied beforehand, on a thread beside the training."""
    pinned: bool = False
    """Batches for a GPU lie in memory that it can fetch them from by itself."""

    def __post_init__(self) -> None:
        among("compute.precision", self.precision, PRECISIONS)
        within("compute.ahead", self.ahead, 0, 1024)

    def require(self, device: torch.device) -> None:
        """Raise `SettingError` for what the device cannot do."""
        if device.type == "cpu" and self.precision == "float16":
            raise SettingError("compute.precision float16 is for a GPU; on a processor take bfloat16 or float32")
        if device.type == "cpu" and self.pinned:
            raise SettingError("compute.pinned is for a GPU; leave it out, or add --device cuda")

    def answer(self, model: EmotionModel, batch: Batch) -> Output:
        """Return what a model says in this precision, for a loss in float32."""
        dtype = PRECISIONS[self.precision]
        with torch.autocast(batch.present.device.type, dtype=dtype, enabled=dtype != torch.float32):
            output: Output = model(batch)
        confidence = {name: Confidence(c.values.float(), c.mask) for name, c in output.confidence.items()}
        return replace(output, logits=output.logits.float(), confidence=confidence)

    def scaler(self, device: torch.device) -> torch.amp.GradScaler:
        """Return what keeps small gradients from vanishing in float16, and does nothing in other precisions."""
        return torch.amp.GradScaler(device.type, enabled=self.precision == "float16")


def device_of(name: str) -> torch.device:
    """Return one of `DEVICES`, `auto` being a GPU where there is one; raise `DeviceError` where there is none."""
    among("--device", name, DEVICES)
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise DeviceError("torch finds no GPU; ask for --device cpu, or install a build of torch with CUDA")
    return torch.device("cuda", torch.cuda.current_device())
