import pytest

from mmer.data.synth.clip import make_clip
from mmer.data.synth.recipe import SynthRecipe
from mmer.edge.faces.mtcnn import Mtcnn


@pytest.mark.parametrize("difficulty", [0.3, 1.0])
def test_the_detector_finds_the_faces(difficulty):
    recipe = SynthRecipe(speakers=8, clips_per_class=1, difficulty=difficulty, rate_hz=5, black_share=0.0)
    detector = Mtcnn.open()
    frames = [pixels for clip in recipe.clips for pixels in make_clip(recipe, *clip).pixels[::3]]
    found = [len(detector.detect(pixels)) == 1 for pixels in frames]
    assert sum(found) >= 0.98 * len(frames)
