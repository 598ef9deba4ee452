import pytest

from mmer.calibration.observation.resume import ProgressError
from mmer.calibration.samples.shelf import Journal, Line

FIRST = Line(("a 0.00-1.00 s",), {"windows": 1})


def test_what_a_kill_left_of_a_line_is_none(tmp_path):
    journal = Journal(tmp_path)
    journal.add(FIRST)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text() + '{"ids": ["b', encoding="utf-8")
    assert list(journal.lines()) == [FIRST]


@pytest.mark.parametrize("text", ["{", "3", "{}", '{"ids": 3, "sizes": {}}', '{"ids": [], "sizes": {"a": "b"}}'])
def test_a_damaged_line_is_told_with_what_to_do(tmp_path, text):
    journal = Journal(tmp_path)
    journal.add(FIRST)
    (path,) = tmp_path.iterdir()
    path.write_text(f"{text}\n", encoding="utf-8")
    with pytest.raises(ProgressError, match=r"a damaged line.*start again without --resume"):
        list(journal.lines())
