"""Who answers each window: float, every form, and every form with one graph of it alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmer.edge.backends.session import Session
from mmer.edge.pipeline.loading import Sessions
from mmer.edge.verify.forms import Form
from mmer.edge.verify.memo import Memo


@dataclass(frozen=True, slots=True)
class Rival:
    """One way of running the whole plan."""

    form: str
    graph: str | None
    """The one graph that is not in float, `None` where all that the form has are not."""
    sessions: Mapping[str, Session]


def rivals(reference: Sessions, forms: Sequence[Form]) -> tuple[Rival, ...]:
    """Return float first, then each form with, behind it, the same form graph by graph where several differ."""
    exact = {name: Memo(session) for name, session in reference.sessions.items()}
    found = [Rival("", None, exact)]
    for form in forms:
        other = {name: Memo(session) for name, session in form.sessions.items()}
        found.append(Rival(form.name, None, exact | other))
        if len(other) > 1:
            found += [Rival(form.name, name, exact | {name: session}) for name, session in other.items()]
    return tuple(found)
