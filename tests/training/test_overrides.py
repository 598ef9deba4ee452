"""One setting can be changed from the command line, and only to what fits."""

import pytest

from mmer.edge.errors import SettingError
from mmer.training.fitsettings import FitSettings
from mmer.training.overrides import overridden


def test_a_nested_setting_is_changed():
    assert overridden(FitSettings(), ["optimiser.lr=0.01", "epochs=3"]).optimiser.lr == 0.01


def test_a_list_becomes_what_it_was():
    assert overridden(FitSettings(), ["dropout=[0.1, 0.2, 0.3]"]).dropout == (0.1, 0.2, 0.3)


def test_a_word_needs_no_quotes():
    assert overridden(FitSettings(), ["keep=macro_f1"]).keep == "macro_f1"


def test_what_is_not_named_stays():
    assert overridden(FitSettings(), []) == FitSettings()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("epochs", "has no value"),
        ("epoch=3", "no such setting; there are: epochs, batch_size"),
        ("optimiser.speed=3", "no such setting"),
        ("epochs.more=3", "no such setting"),
        ("epochs=many", "'many'"),
        ("epochs=0", "epochs is 0"),
    ],
)
def test_what_does_not_fit_is_refused(change, said):
    with pytest.raises(SettingError, match=said):
        overridden(FitSettings(), [change])


def test_rates_take_any_name_with_its_dots():
    made = overridden(FitSettings(), ["rates.face=0.1", "rates.video.layers=0"])
    assert made.rates == {"face": 0.1, "video.layers": 0}
