"""The sizes that CAFES comes in."""

from collections.abc import Mapping

from mmer.training.audio import AudioSettings
from mmer.training.cafes import CafesSettings
from mmer.training.text import TextSettings
from mmer.training.video import VideoSettings

__all__ = ["PRESETS", "CafesSettings"]

PRESETS: Mapping[str, CafesSettings] = {
    "published": CafesSettings(),
    "small": CafesSettings(
        video=VideoSettings(
            levelled=True, stem=16, stages=((32,), (64, 64, 96)), projection=(128,), layers=1, hidden=512, lost=0.3
        ),
        audio=AudioSettings(front="mel", channels=16, dropout=0.3, summary=True, max_steps=130, recurrent_layers=1),
        text=TextSettings(vocab_size=8000, embedding_size=128, hidden_size=128, kind="phrases"),
        fusion_width=128,
    ),
    "tiny": CafesSettings(
        video=VideoSettings(stem=4, stages=((4, 4, 8), (8,)), projection=(32, 24, 16), layers=1, heads=2, hidden=32),
        audio=AudioSettings(channels=2, recurrent_layers=1, heads=2, width=8),
        text=TextSettings(
            vocab_size=400,
            embedding_size=8,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
        ),
        fusion_width=16,
        fusion_heads=2,
    ),
}
"""`published` is the paper's, `small` trains on a processor, `tiny` is for tests."""
