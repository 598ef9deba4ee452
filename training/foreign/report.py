"""What an import says of itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mmer.training.foreign import SYSTEMS
from mmer.training.foreign.weights import Imported

SCHEMA = "mmer.import/1"
SHOWN = 20
"""Names on the screen; the document has all."""

NO_TOKENIZER = (
    "the file brings no tokenizer: words are read letter by letter, which means nothing to these weights; "
    "import again with --tokenizer FOLDER, or leave transcripts out"
)


def import_json(imported: Imported, output: Path) -> dict[str, object]:
    """Return the import as JSON values."""
    facts = imported.checkpoint.facts
    return {
        "schema": SCHEMA,
        "checkpoint": str(output) if imported.usable else None,
        "model": facts.model,
        "preset": facts.preset,
        "labels": list(facts.labels),
        "tensors": imported.tensors,
        "unread": list(imported.unread),
        "unmapped": list(imported.unmapped),
        "missing": list(imported.missing),
        "misshapen": list(imported.misshapen),
        "remarks": _remarks(imported),
        "provenance": dict(facts.provenance),
    }


def import_lines(imported: Imported, output: Path) -> list[str]:
    """Return the import as text."""
    facts = imported.checkpoint.facts
    written = f"{output}: {facts.model} of preset {facts.preset}, answers {', '.join(facts.labels)}"
    return [
        f"{imported.path.name}: {imported.tensors} tensors, {len(imported.unread)} of them of no use here",
        *_listed("without a place in the model", imported.unmapped),
        *_listed("missing", imported.missing),
        *_listed("of another shape", imported.misshapen),
        *([*_remarks(imported), written] if imported.usable else []),
    ]


def _remarks(imported: Imported) -> list[str]:
    without = [] if imported.wanted.tokenizer else [NO_TOKENIZER]
    return [SYSTEMS[imported.wanted.system].remark, *without]


def _listed(title: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{title}: {len(names)}"
        yield from (f"  {name}" for name in names[:SHOWN])
        if len(names) > SHOWN:
            yield f"  and {len(names) - SHOWN} more"
