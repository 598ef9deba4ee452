"""Sound files that break are refused like any other media."""

import pytest

from mmer.edge.errors import UnreadableMediaError
from mmer.edge.media import soundfiles


def test_a_file_that_libsndfile_cannot_read_is_refused(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(UnreadableMediaError, match="cannot be read"):
        list(soundfiles.blocks(tmp_path / "a.wav", 0.0))
