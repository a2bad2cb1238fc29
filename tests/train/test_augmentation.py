from __future__ import annotations

import numpy as np
import pytest

from napari_piclick.train.augmentation import Augmentation
from napari_piclick.train.photometry import CHANGES, change_photometry


@pytest.mark.parametrize("colour", [False, True])
def test_masks_follow_the_picture(colour: bool, nested_scene) -> None:
    """Brightness tells which object a pixel shows, wherever the picture was moved to."""
    scene = nested_scene(colour=colour)
    geometry_only = Augmentation(photometry=0)
    seen = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        sample = geometry_only.apply(scene, (96, 96), rng).sample(rng, union_share=0)
        if sample is None:
            continue
        shown = sample.image[..., 0].astype(int)
        for mask in sample.masks:
            values = shown[mask]
            body = values > 80  # more than the background
            assert body.mean() > 0.85
            seen += 1
        nothing = ~sample.masks.any(axis=0)
        assert (shown[nothing] <= 170).all()
    assert seen > 15


def test_without_augmentation_the_whole_picture_is_there(nested_scene) -> None:
    scene = nested_scene()
    same = Augmentation.none().apply(scene, (120, 120), np.random.default_rng(0))
    np.testing.assert_array_equal(same.image[15:105], scene.image)
    assert (same.image[:15] == 0).all()
    np.testing.assert_array_equal(same.layers[0][15:105], scene.layers[0])


def test_beyond_the_picture_nothing_is_painted(nested_scene) -> None:
    scene = nested_scene((60, 120))
    for seed in range(10):
        framed = Augmentation(zoom=0).apply(scene, (64, 64), np.random.default_rng(seed))
        corner = framed.image.reshape(64, 64, -1)[0, 0]
        rows = framed.image.reshape(64, 64, -1)[0]
        if not framed.layers[0][0].any() and (rows == corner).all():
            break
    else:
        pytest.fail("No frame showed an even margin.")


@pytest.mark.parametrize(("change", "chance"), CHANGES)
@pytest.mark.parametrize("shape", [(50, 61), (50, 61, 3)])
def test_each_change_keeps_the_shape_and_changes_something(
    change, chance: float, shape: tuple[int, ...]
) -> None:
    assert 0 < chance <= 1
    image = np.random.default_rng(1).uniform(0, 255, shape).astype(np.float32)
    before = image.copy()
    changed = [change(image, np.random.default_rng(seed)) for seed in range(3)]
    np.testing.assert_array_equal(image, before)
    assert all(one.shape[:2] == shape[:2] and np.isfinite(one).all() for one in changed)
    if not (change.__name__ == "change_colour" and len(shape) == 2):
        assert any(one.shape != shape or np.abs(one - image).max() > 1 for one in changed)


@pytest.mark.parametrize("shape", [(40, 40), (40, 40, 3)])
def test_photometry_stays_in_range_and_repeats(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(1).integers(0, 255, shape).astype(np.uint8)
    for seed in range(20):
        one = change_photometry(image, np.random.default_rng(seed))
        two = change_photometry(image, np.random.default_rng(seed))
        assert one.dtype == np.float32
        assert 0 <= one.min() <= one.max() <= 255
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(change_photometry(image, np.random.default_rng(0), 0), image)
