"""Proposals rank, choose, and know which of them show the same object."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_piclick import Proposals, Region
from napari_piclick.proposals import DUPLICATE_IOU

REGION = Region(10, 30, 5, 45)
PLANE = (64, 80)


def proposals_of(masks: np.ndarray, region: Region = REGION, **kwargs) -> Proposals:
    scores = np.linspace(0.9, 0.3, len(masks), dtype=np.float32)
    defaults = {"plane_shape": PLANE, "iou": scores, "confidence": scores}
    return Proposals(masks.astype(np.float32), region, **(defaults | kwargs))


def disks(radii, shape=REGION.shape) -> np.ndarray:
    rows, cols = np.indices(shape)
    distance = np.hypot(rows - shape[0] / 2, cols - shape[1] / 2)
    return np.stack([distance < radius for radius in radii])


def test_the_score_is_iou_times_confidence():
    made = proposals_of(
        disks([3, 6, 9]), iou=np.array([0.9, 0.5, 0.8]), confidence=np.array([1.0, 0.5, 0.1])
    )
    np.testing.assert_allclose(made.score, [0.9, 0.25, 0.08])


def test_the_model_chooses_first_and_the_user_may_choose_again():
    made = proposals_of(disks([3, 6, 9]))
    assert (len(made), made.chosen, made.chosen_by) == (3, 0, "trm")
    again = made.choose(2)
    assert (again.chosen, again.chosen_by) == (2, "user")
    assert (made.chosen, made.chosen_by) == (0, "trm"), "proposals are values"
    np.testing.assert_array_equal(again.mask(), made.mask(2))
    np.testing.assert_array_equal(again.plane_mask(), made.plane_mask(2))
    assert again.duplicate_of == made.duplicate_of


@pytest.mark.parametrize("index", [-1, 3])
def test_choosing_what_is_not_there_says_so(index):
    with pytest.raises(IndexError, match="There are 3 proposals"):
        proposals_of(disks([3, 6, 9])).choose(index)


def test_a_mask_holds_the_pixels_above_the_threshold():
    ramp = np.linspace(0, 1, REGION.shape[0] * REGION.shape[1]).reshape(1, *REGION.shape)
    for threshold in (0.5, 0.2):
        made = proposals_of(ramp, threshold=threshold)
        assert made.mask().dtype == bool
        np.testing.assert_array_equal(made.mask(), ramp[0].astype(np.float32) > threshold)


def test_on_the_plane_a_mask_is_where_its_region_is():
    made = proposals_of(disks([3, 6]))
    plane = made.plane_mask(1)
    assert plane.shape == PLANE
    np.testing.assert_array_equal(plane[REGION.slices], made.mask(1))
    assert plane.sum() == made.mask(1).sum()


def test_masks_that_do_not_fit_their_region_are_refused():
    with pytest.raises(ValueError, match="do not fit the region"):
        proposals_of(disks([3], shape=(20, 41)))
    with pytest.raises(ValueError, match="choice 3"):
        proposals_of(disks([3, 6, 9]), chosen=3)


def test_the_same_object_twice_is_marked_not_dropped():
    made = proposals_of(disks([9, 5, 9, 9.2, 5, 2]))
    assert made.duplicate_of == (None, None, 0, 0, 1, None)
    assert len(made) == 6


def test_empty_masks_are_no_duplicates_of_anything():
    made = proposals_of(np.zeros((3, *REGION.shape)))
    assert made.duplicate_of == (None, None, None)


@given(st.lists(st.floats(1, 9.5), min_size=1, max_size=7))
@settings(max_examples=50)
def test_duplicates_are_the_first_earlier_mask_that_overlaps_enough(radii):
    masks = disks(radii)
    expected = []
    for index, mask in enumerate(masks):
        ious = [
            (mask & earlier).sum() / max((mask | earlier).sum(), 1) for earlier in masks[:index]
        ]
        expected.append(next((k for k, iou in enumerate(ious) if iou > DUPLICATE_IOU), None))
    assert proposals_of(masks).duplicate_of == tuple(expected)


def test_duplicates_are_found_on_large_planes_too():
    region = Region(0, 512, 0, 600)
    masks = disks([100, 60, 100.5, 61], shape=region.shape)
    made = proposals_of(masks, region=region, plane_shape=region.shape)
    assert made.duplicate_of == (None, None, 0, 1)
