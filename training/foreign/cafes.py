"""CAFES as its authors save it: `torch.save(model.state_dict(), ...)` of `MODEL` in `AV-CARE/models/mmer.py`."""

import re
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from mmer.training.audio import AudioSettings
from mmer.training.cafes import CafesSettings
from mmer.training.foreign.keymap import KeyMap, Place, Reading, attention, repvgg, same
from mmer.training.foreign.system import ForeignSystem
from mmer.training.text import TextSettings

SOURCE = (
    "github.com/InesJemmali/Hybrid-Confidence-Guided-Feature-Selection-for-Enhanced-Multimodal-Emotion-Recognition, "
    "commit 5b4f92c"
)

LABELS = ("anger", "happy", "neutral", "sad")
"""Their order on IEMOCAP."""

_SAME = {
    "T.albert": "text.albert",
    "V.0": "face.convolutions.0",
    "V.1": "face.convolutions.1",
    "sab.pos_embed": "face.attention.positions",
    "visual_feature_proj": "video.project",
    "A.gru": "audio.recurrent.gru",
    "A.tab.pos_encoding.pos_embed": "audio.attention.positions",
    "A.tab.ffn": "audio.attention.feed",
    "A.tab.norm": "audio.attention.norm",
    "A.fc1": "audio.project",
    "v_out": "fusion.heads.0",
    "tv_out": "fusion.heads.1",
    "ta_out": "fusion.heads.2",
    "a_out": "fusion.heads.3",
    "weighted_fusion": "fusion.vote",
    "confidence_fusion_visual.fc": "video.confidence.view.weigh",
    "A.fusion_model.fc": "audio.confidence.view.weigh",
}
_ATTENTIONS = {"sab.attention": "face.attention.layer.attention", "A.tab.attention": "audio.attention.attention"}
_BLOCKS = {f"V.{place}": f"face.convolutions.{place}" for place in (4, 5, 6, 8)}
_WAVEFORM = {1: "0.0", 2: "1.0", 3: "1.1", 4: "2.0", 5: "2.1", 6: "3.0", 7: "3.1"}
_ASKING = {"av_attn": "video_audio", "va_attn": "audio_video", "tv_attn": "text_video", "ta_attn": "text_audio"}
_LOCAL = {"confidence_net_visual_ffn": "video", "A.variance_ffn": "audio"}
_SPATIAL = {"norm1": "attention_norm", "ffn.0": "widen", "ffn.2": "narrow", "norm2": "norm"}
_LAYER = {"norm1": "attention_norm", "linear1": "widen", "linear2": "narrow", "norm2": "norm"}
_CROSS = {"query_proj": "query", "key_proj": "key", "value_proj": "value", "norm": "norm"}
_NETWORK = {"fc1": "0", "fc2": "2", "fc3": "4"}
_UNREAD = {
    "mtcnn": "the face detector; mmer brings its own",
    "T.text_feature_affine": "declared, never called",
    "T.albert.embeddings.position_ids": "a list of 0, 1, 2 ...",
    "v_transformer.cls_emb": "declared, never called",
}


def keys(settings: CafesSettings) -> KeyMap:
    """Return the map for a model of given sizes."""
    places = _all(_SAME, same) | _all(_BLOCKS, repvgg) | _all(_ATTENTIONS, attention) | _all(_waveform(), same)
    places |= _all(_inside(_SPATIAL, "sab", "face.attention.layer"), same)
    for layer in range(settings.video.layers):
        theirs, ours = f"v_transformer.encoder.layers.{layer}", f"video.layers.{layer}"
        places |= _all(_inside(_LAYER, theirs, ours), same)
        places[f"{theirs}.self_attn"] = Place(f"{ours}.attention", attention)
    for theirs, ours in _ASKING.items():
        places |= _all(_inside(_CROSS, theirs, f"fusion.{ours}"), same)
        places[f"{theirs}.attn"] = Place(f"fusion.{ours}.attention", attention)
    for theirs, ours in _LOCAL.items():
        places |= _all(_inside(_NETWORK, theirs, f"{ours}.confidence.view.local"), same)
    return KeyMap(places, _UNREAD)


def _all(names: Mapping[str, str], read: Reading) -> dict[str, Place]:
    return {theirs: Place(ours, read) for theirs, ours in names.items()}


def _inside(names: Mapping[str, str], theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}.{name}": f"{ours}.{own}" for name, own in names.items()}


def _waveform() -> dict[str, str]:
    convolutions = {f"A.conv{n}": f"audio.waveform.groups.{place}.conv" for n, place in _WAVEFORM.items()}
    return convolutions | {f"A.bn{n}": f"audio.waveform.groups.{place}.norm" for n, place in _WAVEFORM.items()}


def alike(preset: CafesSettings) -> bool:
    """Tell whether a preset reads words by ALBERT and sound by convolutions, as the published one."""
    return (preset.text.kind, preset.audio.front) == (TextSettings().kind, AudioSettings().front)


def sized(preset: CafesSettings, state: Mapping[str, Tensor]) -> CafesSettings:
    """Return the preset with the classes, the vocabulary and the longest sound of a state dict."""
    text, audio = preset.text, preset.audio
    classes = _length(state, "v_out.bias", (preset.classes,), 0)
    words = (text.vocab_size, text.embedding_size)
    vocabulary = _length(state, "T.albert.embeddings.word_embeddings.weight", words, 0)
    steps = _length(state, "A.tab.pos_encoding.pos_embed", (1, audio.max_steps, 8 * audio.channels), 1)
    text, audio = replace(text, vocab_size=vocabulary), replace(audio, max_steps=steps)
    return replace(preset, classes=classes, text=text, audio=audio)


def _length(state: Mapping[str, Tensor], name: str, usual: tuple[int, ...], free: int) -> int:
    """Return one length of a tensor, the usual one unless all others are as usual.

    A file may store many rows of no width, and our rows have width: a model of so many would outgrow any memory.
    """
    tensor = state.get(name)
    if tensor is None or tensor.ndim != len(usual):
        return usual[free]
    found = tuple(tensor.shape)
    return found[free] if found == (*usual[:free], found[free], *usual[free + 1 :]) else usual[free]


CAFES = ForeignSystem(
    SOURCE,
    sized,
    alike,
    keys,
    LABELS,
    re.compile(r"text\.albert\.pooler\..*|.*\.mixture\..*|.*\.num_batches_tracked"),
    "the authors pickle the mixtures of the confidence filter beside the weights, and pickles are not read: until they "
    "are fitted again (mmer train cafes --from CHECKPOINT --data corpus.csv --set epochs=1 -o FITTED), the filter goes "
    "by its other half, as theirs without a mixture",
)
