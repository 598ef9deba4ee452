"""A bounded cache keeps what was asked for last."""

from mmer.edge.pipeline.recent import Recent


def test_what_nobody_asked_for_the_longest_goes_first():
    recent: Recent[str] = Recent(2)
    recent.put(1, "one")
    recent.put(2, "two")
    recent.get(1)
    recent.put(3, "three")
    assert (recent.get(1), recent.get(2), recent.get(3)) == ("one", None, "three")


def test_there_are_never_more_than_were_allowed():
    recent: Recent[int] = Recent(3)
    for number in range(10):
        recent.put(number, number)
        recent.put(number, number)
    assert len(recent) == 3
