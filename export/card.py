"""What a bundle tells its reader in words."""

import json
from pathlib import Path

from mmer.edge.bundle.notice import figures, notice_in
from mmer.edge.errors import SettingError
from mmer.training.checkpoint import Facts

UNLICENSED = """\
No licence was stated for these weights when they were exported. They belong to whoever trained them, and what may be
done with them also depends on the data that they were trained on. Ask before you pass them on.
"""

_CARD = """\
# {model} ({preset})
{notice}
Emotion from the face, the voice and the words of one person: {labels}.

| | |
|---|---|
| Face | up to {frames} crops of {size} x {size} pixels, {rate} a second |
| Voice | {samples_hz} Hz, up to {length_s:.1f} s |
| Words | up to {tokens} tokens |

Any of the three may be absent; the answer says which ones it rests on.

## How good it is

{metrics}
A figure says nothing about recordings of another kind, other speakers or another language than those it was measured
on. Measure on your own before you rely on an answer.

## What it is not for

It names the emotion that people with other faces, voices and words were told to show or were judged to show. It does
not know what a person feels. Do not decide about people with it: hiring, schooling, policing, credit, care.

## Where it comes from

{provenance}
"""


def model_card(facts: Facts) -> str:
    """Return the text of `MODEL_CARD.md`."""
    video, audio, text = facts.inputs.video, facts.inputs.audio, facts.inputs.text
    notice, measured = notice_in(facts.metrics), figures(facts.metrics)
    return _CARD.format(
        model=facts.model,
        preset=facts.preset,
        notice=f"\n**Notice: {notice}.** Every answer says so too.\n" if notice else "",
        labels=", ".join(facts.labels),
        frames=video.max_frames,
        size=video.size,
        rate=f"{video.rate_hz:g}",
        samples_hz=audio.rate_hz,
        length_s=audio.max_samples / audio.rate_hz,
        tokens=text.max_tokens,
        metrics=_block(measured) if measured else "Not measured.\n",
        provenance=_block(facts.provenance) if facts.provenance else "Not recorded.\n",
    )


def terms(path: Path | None) -> str:
    """Return the text of a licence file, or words for its absence; raise `SettingError` when it cannot be read."""
    if path is None:
        return UNLICENSED
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingError(f"the licence {path} cannot be read ({reason}); name a text file") from error


def _block(facts: object) -> str:
    return f"```json\n{json.dumps(facts, indent=1, ensure_ascii=False, sort_keys=True, default=str)}\n```\n"
