"""A corpus is dealt by speaker, evenly, always the same way."""

from collections import Counter
from pathlib import Path

import pytest

from mmer.data.split import Dealing, folds, parse_ratios, split
from mmer.edge.corpus import Corpus, Entry
from mmer.edge.errors import SettingError
from mmer.edge.leaks import leaking


def people(count, labels=("happy", "sad", "anger")):
    return Corpus(
        tuple(
            Entry(Path(f"{who}{n}{lb}.wav"), lb, "", f"s{who}") for who in range(count) for lb in labels for n in "ab"
        )
    )


def test_no_speaker_stands_in_two_splits():
    dealt = split(people(10), parse_ratios("80/10/10"), Dealing())
    assert (leaking(dealt.entries), Counter(e.split for e in dealt.entries)) == (
        {},
        {"train": 48, "val": 6, "test": 6},
    )


def test_labels_that_only_some_speakers_have_are_spread():
    entries = [Entry(Path(f"{n}.wav"), "happy" if n < 10 else "sad", "", f"s{n}") for n in range(20)]
    dealt = split(Corpus(tuple(entries)), parse_ratios("60/20/20"), Dealing(3))
    assert Counter((e.split, e.label) for e in dealt.entries) == {
        (name, label): count for name, count in (("train", 6), ("val", 2), ("test", 2)) for label in ("happy", "sad")
    }


def test_equal_seeds_deal_equally_and_others_do_not():
    first, again, other = (split(people(12), parse_ratios("50/50"), Dealing(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_every_speaker_is_tested_in_one_fold():
    rounds = folds(people(8), 4, Dealing())
    tested = Counter(s for part in rounds for s in {e.speaker for e in part.entries if e.split == "test"})
    assert tested == {f"s{n}": 1 for n in range(8)}
    assert all(leaking(part.entries) == {} for part in rounds)


@pytest.mark.parametrize(
    ("deal", "said"),
    [
        (lambda: split(people(2), parse_ratios("80/10/10"), Dealing()), "2 speakers cannot be dealt to 3 splits"),
        (lambda: folds(people(3), 4, Dealing()), "3 speakers cannot be dealt to 4 splits"),
        (lambda: folds(people(3), 2, Dealing()), "too few"),
        (lambda: parse_ratios("80/x"), "not like 80/10/10"),
        (lambda: parse_ratios("100"), "not like 80/10/10"),
        (lambda: parse_ratios("90/0/10"), "not like 80/10/10"),
        (lambda: split(Corpus((Entry(Path("a.jpg"), "sad", "", ""),)), (0.5, 0.5), Dealing()), "a.jpg has no speaker"),
    ],
)
def test_what_cannot_be_dealt_honestly_is_refused(deal, said):
    with pytest.raises(SettingError, match=said):
        deal()


def test_a_leaky_split_is_stamped_on_every_entry():
    dealt = split(people(2), parse_ratios("80/10/10"), Dealing(allow_leaky=True))
    assert {entry.stamp for entry in dealt.entries} == {"LEAKY"}


def test_equal_texts_stay_together():
    entries = [Entry(Path(), "sad", "", "", transcript=f"line {n % 4}") for n in range(16)]
    dealt = split(Corpus(tuple(entries)), (0.5, 0.5), Dealing())
    assert all(len({e.split for e in dealt.entries if e.transcript == f"line {n}"}) == 1 for n in range(4))
