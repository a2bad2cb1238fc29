from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from skimage.io import imsave

from napari_piclick.train.mixture import Mixture
from napari_piclick.train.scene import Scene
from napari_piclick.train.synthesis.objects import SyntheticObjects
from napari_piclick.train.validation import validation_samples

if TYPE_CHECKING:
    from pathlib import Path


SYNTHETIC = {"synthetic", "synthetic_em", "synthetic_cells"}


class Always:
    """A source of one scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def draw(self, rng: np.random.Generator) -> Scene:
        return self.scene


@pytest.mark.parametrize("size", [96, (64, 100)])
def test_samples_have_the_size_asked_for_and_repeat(
    size: int | tuple[int, int], nested_scene
) -> None:
    mixture = Mixture({"a": (Always(nested_scene()), 1), "b": (SyntheticObjects(120), 2)}, size)
    other = mixture.resized(size)
    for seed in range(10):
        one = mixture.draw(np.random.default_rng(seed))
        two = other.draw(np.random.default_rng(seed))
        assert one.image.shape == (*((size, size) if isinstance(size, int) else size), 3)
        assert one.image.dtype == np.uint8
        assert 1 <= len(one.masks) <= 48
        assert min(mask.sum() for mask in one.masks) >= 20
        assert one.weights.sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.masks, two.masks)
        np.testing.assert_array_equal(one.weights, two.weights)


def test_sources_are_drawn_by_weight_and_by_name(nested_scene) -> None:
    other = nested_scene()
    mixture = Mixture(
        {"often": (Always(nested_scene()), 9), "seldom": (Always(_named(other)), 1)}, 48
    )
    rng = np.random.default_rng(0)
    names = [mixture.draw(rng).source for _ in range(60)]
    assert 0 < names.count("seldom") < 20
    assert mixture.draw(rng, "seldom").source == "seldom"


def test_a_mixture_says_what_is_wrong(nested_scene) -> None:
    with pytest.raises(ValueError, match="at least one source"):
        Mixture({})
    with pytest.raises(ValueError, match="above 0"):
        Mixture({"a": (Always(nested_scene()), 0)})
    empty = Mixture({"a": (Always(Scene(np.zeros((50, 50), np.uint8), "a")), 1)}, 64)
    with pytest.raises(ValueError, match="no object of a usable size"):
        empty.draw(np.random.default_rng(0))


def test_without_data_everything_is_synthetic() -> None:
    assert set(Mixture.default(None).sources) == SYNTHETIC
    with pytest.raises(ValueError, match="at least one source"):
        Mixture.default(None, synthetic=False)
    with pytest.raises(ValueError, match="no split"):
        Mixture.default(None, split="test")


def test_a_data_folder_may_be_one_collection_or_hold_several(tmp_path: Path, disc) -> None:
    with pytest.raises(FileNotFoundError, match="no data folder"):
        Mixture.default(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="nothing to train on"):
        Mixture.default(tmp_path)
    for name in ("nuclei", "mine", "blood"):
        for part in ("images", "labels"):
            (tmp_path / name / part).mkdir(parents=True)
        labels = disc((50, 50), (20, 25), 12).astype(np.uint8)
        imsave(tmp_path / name / "images" / "a.png", labels * 99, check_contrast=False)
        imsave(tmp_path / name / "labels" / "a.png", labels, check_contrast=False)
    # the pictures of blood are left out of the mixture for their licence ...
    assert set(Mixture.default(tmp_path, synthetic=False).sources) == {"nuclei", "mine"}
    # ... unless somebody asks for them
    assert set(Mixture.default(tmp_path / "blood", synthetic=False).sources) == {"blood"}
    everything = Mixture.default(tmp_path, synthetic=False, leave_out=())
    assert set(everything.sources) == {"nuclei", "mine", "blood"}
    less = Mixture.default(tmp_path, leave_out=("blood", "nuclei", "synthetic_cells"))
    assert set(less.sources) == {"mine", *SYNTHETIC} - {"synthetic_cells"}
    with pytest.raises(ValueError, match=r"no source nucleii to leave out; there are .*nuclei"):
        Mixture.default(tmp_path, leave_out=("nucleii",))
    sample = Mixture.default(tmp_path, 64, synthetic=False).draw(np.random.default_rng(0), "mine")
    assert sample.source == "mine"


def test_validation_never_changes() -> None:
    few = validation_samples(None, 64, per_source=1)
    more = validation_samples(None, 64, per_source=2)
    assert set(few) == set(more) == SYNTHETIC
    for name, samples in few.items():
        np.testing.assert_array_equal(samples[0].image, more[name][0].image)
        np.testing.assert_array_equal(samples[0].masks, more[name][0].masks)
        assert (samples[0].image != more[name][1].image).any()


def _collection(folder: Path, side: int) -> None:
    """Three labelled pictures, with an object of this many pixels across on each."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    labels = np.zeros((50, 50), np.uint8)
    labels[10 : 10 + side, 10 : 10 + side] = 1
    for name in "abc":
        imsave(folder / "images" / f"{name}.png", labels * 99, check_contrast=False)
        imsave(folder / "labels" / f"{name}.png", labels, check_contrast=False)


def test_held_out_pictures_with_tiny_objects_only_are_passed_over(tmp_path: Path) -> None:
    _collection(tmp_path / "large", 20)
    _collection(tmp_path / "tiny", 2)
    assert set(validation_samples(tmp_path, 64, per_source=2, synthetic=False)) == {"large"}
    with pytest.raises(ValueError, match="held out for validation shows an object"):
        validation_samples(tmp_path / "tiny", 64, synthetic=False)


def _named(scene: Scene) -> Scene:
    return Scene(scene.image, "seldom", scene.layers, scene.targets, scene.shares, mergeable=())
