"""Lower precision trains, repeats itself, and is refused where it cannot be."""

from dataclasses import replace

import pytest
import torch

from mmer.edge.errors import DeviceError, SettingError
from mmer.training.augment.settings import Augmentation
from mmer.training.compute import ComputeSettings, device_of
from mmer.training.fitsettings import FitSettings
from mmer.training.optimiser import OptimiserSettings
from mmer.training.progress import Progress
from mmer.training.start import weights_digest
from mmer.training.train import TrainSettings, train, untrained
from mmer.training.usual import Wish, usual

LABELS = ("neutral", "happy", "sad")
FIT = FitSettings(
    epochs=2,
    batch_size=4,
    keep="last",
    optimiser=OptimiserSettings("adamw", lr=3e-3, text_lr_share=1.0, clip_norm=1.0),
    augmentation=Augmentation(),
)
CPU = torch.device("cpu")


def trained(samples, compute):
    few = [s for split in ("train", "val") for s in [s for s in samples if s.split == split][:8]]
    return train(few, TrainSettings(LABELS, preset="tiny", fit=replace(FIT, compute=compute)))


def test_bfloat16_trains_the_same_twice_and_not_as_float32_does(synth_samples):
    half, again, whole = (trained(synth_samples, ComputeSettings(name)) for name in ("bfloat16", "bfloat16", "float32"))
    digests = [weights_digest(made.checkpoint.model) for made in (half, again, whole)]
    assert digests[0] == digests[1] != digests[2]
    assert half.result.epochs[0].loss == pytest.approx(whole.result.epochs[0].loss, rel=0.1)
    assert {value.dtype for value in half.checkpoint.model.parameters()} == {torch.float32}


def test_products_are_in_the_precision_asked_for_and_the_answer_is_not():
    model, kinds = untrained(TrainSettings(LABELS, preset="tiny"), []).model, []
    model.fusion.heads[0].register_forward_hook(lambda _module, _args, out: kinds.append(out.dtype))
    batch = _batch()
    outputs = [ComputeSettings(name).answer(model, batch) for name in ("float32", "bfloat16")]
    assert kinds == [torch.float32, torch.bfloat16]
    assert {output.logits.dtype for output in outputs} == {torch.float32}
    assert {c.values.dtype for output in outputs for c in output.confidence.values()} == {torch.float32}


def _batch():
    from mmer.training.batch import Batch

    yes = torch.ones(2, 3, dtype=torch.bool)
    return Batch(
        torch.randn(2, 3, 3, 48, 48),
        yes,
        torch.randn(2, 4000),
        torch.ones(2, 4000, dtype=torch.bool),
        torch.ones(2, 3, dtype=torch.int64),
        yes,
        yes,
    )


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [({"precision": "float16"}, "take bfloat16 or float32"), ({"pinned": True}, "add --device cuda")],
)
def test_what_needs_a_gpu_is_refused_without_one(synth_samples, settings, remedy):
    with pytest.raises(SettingError, match=remedy) as caught:
        trained(synth_samples, ComputeSettings(**settings))
    assert "\n" not in str(caught.value)


def test_an_unknown_precision_or_device_is_refused():
    with pytest.raises(SettingError, match="not one of float32, bfloat16, float16"):
        ComputeSettings("int4")
    with pytest.raises(SettingError, match="not one of auto, cpu, cuda"):
        usual(Wish("cafes", "tiny", device="tpu"), LABELS)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_auto_is_the_processor_and_cuda_an_error():
    assert device_of("auto") == CPU
    with pytest.raises(DeviceError, match="ask for --device cpu"):
        device_of("cuda")


def test_the_scale_of_float16_goes_on_where_it_was():
    model = torch.nn.Linear(2, 1)
    optimiser = torch.optim.Adam(model.parameters())
    scaler, fresh = (torch.amp.GradScaler("cpu", enabled=True, growth_interval=2) for _ in range(2))
    for _ in range(3):
        scaler.scale(model(torch.ones(1, 2)).sum()).backward()
        scaler.step(optimiser)
        scaler.update()
    kept = Progress.of([], model, {}, optimiser, scaler)
    kept.restore(model, optimiser, fresh)
    assert fresh.state_dict() == scaler.state_dict()
    assert fresh.get_scale() > torch.amp.GradScaler("cpu").get_scale()
