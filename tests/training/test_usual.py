"""What a person asks for becomes the settings of a training."""

import json
from dataclasses import is_dataclass
from typing import get_type_hints

import pytest

from mmer.edge.errors import SettingError
from mmer.training.confidence import FORMS, ConfidenceFilter
from mmer.training.overrides import overridden
from mmer.training.presets import ALONE, FITS
from mmer.training.train import untrained
from mmer.training.usual import Wish, usual

LABELS = ("neutral", "happy", "sad")


def filters(*sizes):
    model = untrained(usual(Wish("cafes", "tiny", sizes=sizes), LABELS), ["so happy"]).model
    return [module for module in model.modules() if isinstance(module, ConfidenceFilter)]


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_the_confidence_filter_is_a_setting_of_the_model(form):
    assert len(filters(f"confidence={form}")) == (0 if form == "none" else 2)


def test_forms_of_the_filter_differ_in_what_they_learn():
    learned = {form: sum(p.numel() for f in filters(f"confidence={form}") for p in f.parameters()) for form in FORMS}
    assert learned["gmm"] == 0 < learned["ffn"] < learned["both"]


@pytest.mark.parametrize("change", ["confidence=luck", "confidence", "confidences=none", "audio.heads=0"])
def test_a_model_that_cannot_be_built_is_refused(change):
    with pytest.raises(SettingError):
        usual(Wish("cafes", "tiny", sizes=(change,)), LABELS)


def test_text_weights_for_a_branch_that_is_no_albert_are_refused_before_they_are_looked_for():
    with pytest.raises(SettingError, match="of preset small is phrases; add --preset published"):
        usual(Wish("cafes", "small", text_weights="./nowhere"), LABELS)


def leaves(settings, above=""):
    """Return the value of each place, a float where it is declared one."""
    found = {}
    for name, kind in get_type_hints(type(settings)).items():
        value = getattr(settings, name)
        inside = leaves(value, f"{above}{name}.") if is_dataclass(value) else {above + name: value}
        found |= {place: float(inner) if kind is float else inner for place, inner in inside.items()}
    return found


@pytest.mark.parametrize("fit", [*FITS.values(), *ALONE.values()])
def test_every_setting_of_a_preset_can_be_given_what_it_is_declared_to_be(fit):
    for place, value in leaves(fit).items():
        assert place == "rates" or overridden(fit, [f"{place}={json.dumps(value)}"]) == fit
