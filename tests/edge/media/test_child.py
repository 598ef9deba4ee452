"""The decoder process bounds its memory where the system lets it."""

import resource

import pytest

from mmer.edge.media import child


@pytest.mark.parametrize(("hard", "set_to"), [(resource.RLIM_INFINITY, 100), (50, 50), (200, 100)])
def test_the_bound_never_exceeds_the_hard_limit(monkeypatch, hard, set_to):
    calls = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (hard, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: calls.append(limits))
    child._bound_memory(100)
    assert calls == [(set_to, hard)]


def test_a_system_that_refuses_the_bound_goes_without(monkeypatch):
    def refuse(*_):
        raise ValueError

    monkeypatch.setattr(resource, "setrlimit", refuse)
    child._bound_memory(100)
