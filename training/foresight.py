"""What would end a training, found before any clip is read."""

import torch

from mmer.training.compute import device_of
from mmer.training.groups import Groups
from mmer.training.model import EmotionModel
from mmer.training.start import Start
from mmer.training.train import TrainSettings, sized
from mmer.training.zoo import ZOO


def foresee(settings: TrainSettings, start: Start | None) -> None:
    """Raise the `SettingError` of settings that the model, its parts or the device cannot take."""
    model = _outline(settings) if start is None else start.checkpoint.model
    for stage in settings.course:
        stage.fit.compute.require(device_of(settings.device))
        Groups.of(model, stage.trains, stage.fit.all_rates)


def _outline(settings: TrainSettings) -> EmotionModel:
    """Return the model without any values."""
    with torch.device("meta"):
        return ZOO[settings.model].build(sized(settings), None)
