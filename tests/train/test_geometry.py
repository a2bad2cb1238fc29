from __future__ import annotations

import numpy as np
import pytest

from napari_piclick.train.geometry import View

SHAPE = (40, 60)


def views() -> list[View]:
    center = (19.5, 29.5)
    return [
        View.looking_at(center, 60, (64, 64)),
        View.looking_at(center, 30, (64, 48), flip=(False, True)),
        View.looking_at((10, 20), 50, (32, 32), angle=90, flip=(True, False)),
        View.looking_at((25, 40), 90, (50, 50), angle=17, stretch=1.3),
        View.looking_at(center, 120, (64, 64), angle=270, spacing=(3, 1)),
        View.looking_at((20, 30), 15, (80, 80), angle=-5, spacing=(1, 2)),
    ]


@pytest.mark.parametrize("view", views())
def test_a_point_goes_there_and_back(view: View) -> None:
    points = np.random.default_rng(0).uniform(-20, 80, (50, 2))
    np.testing.assert_allclose(view.to_sample(view.to_scene(points)), points, atol=1e-9)


@pytest.mark.parametrize("view", views())
def test_image_and_labels_stay_aligned(view: View, disc) -> None:
    labels = disc(SHAPE, (18, 25), 9).astype(np.uint16)
    moved = view.resample_labels(labels)
    image = view.resample_image(labels.astype(np.float32))
    sure = (image < 0.02) | (image > 0.98)  # elsewhere an outline passes through the pixel
    assert sure.mean() > 0.7
    np.testing.assert_array_equal(moved[sure], np.rint(image[sure]))
    # and a disc's centre lands where the map says
    row, col = np.rint(view.to_sample(np.array([[18.0, 25.0]])))[0].astype(int)
    if 0 <= row < view.shape[0] and 0 <= col < view.shape[1]:
        assert moved[row, col] == 1


def test_the_whole_picture_at_its_own_size_is_unchanged() -> None:
    image = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)
    view = View(np.eye(2), np.zeros(2), SHAPE)
    np.testing.assert_array_equal(view.resample_image(image), image)
    np.testing.assert_array_equal(view.resample_labels(image), image)
    assert view.outside(SHAPE) is None


def test_right_angles_only_move_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 255, (32, 32)).astype(np.uint8)
    view = View.looking_at((15.5, 15.5), 32, (32, 32), angle=90)
    found = view.resample_image(image)
    assert any((found == np.rot90(image, k)).all() for k in (1, 3))
    np.testing.assert_array_equal(view.resample_labels(image), found)


def test_beyond_the_scene_is_fill_and_no_label() -> None:
    image = np.full(SHAPE, 200, np.uint8)
    view = View.looking_at((19.5, 29.5), 60, (60, 60))
    outside = view.outside(SHAPE)
    assert outside is not None
    assert outside.sum() == 60 * 60 - SHAPE[0] * SHAPE[1]
    found = view.resample_image(image, fill=7)
    assert (found[outside] == 7).all()
    assert (found[~outside] == 200).all()
    labels = view.resample_labels(np.ones(SHAPE, np.uint16))
    np.testing.assert_array_equal(labels == 0, outside)


def test_enlarging_reaches_the_outer_edges_of_the_outermost_pixels() -> None:
    view = View.looking_at((4.5, 4.5), 10, (200, 200))
    assert view.outside((10, 10)) is None
    assert (view.resample_labels(np.ones((10, 10), np.uint16)) == 1).all()


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((128, 128), np.uint8)
    stripes[:, ::2] = 255
    shrunk = View.looking_at((63.5, 63.5), 128, (37, 37)).resample_image(stripes)
    assert shrunk[4:-4, 4:-4].std() < 15


def test_spacing_gives_true_proportions(disc) -> None:
    """A ball in thick slices looks round again."""
    squashed = disc((30, 90), (15, 45), 0) | (
        (((np.arange(30)[:, None] - 15) * 3.0) ** 2 + (np.arange(90)[None] - 45) ** 2) <= 40**2
    )
    view = View.looking_at((14.5, 44.5), 90, (90, 90), spacing=(3, 1))
    rows, cols = np.nonzero(view.resample_labels(squashed.astype(np.uint16)))
    assert np.ptp(rows) == pytest.approx(np.ptp(cols), abs=3)
