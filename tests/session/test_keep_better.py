"""A correction that is followed again: what was good stays, and what was bad is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick.plane import Plane
from napari_piclick.session.keep_better import Keep
from napari_piclick.session.plane_stack import PlaneStack
from napari_piclick.session.propagate import propagate_again
from napari_piclick.session.quality import rate_slices
from napari_piclick.session.slice_mask import LabelledBy, ObjectSlices, SliceMask
from napari_piclick.session.stopping import Reason, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import FloodPredictor

#: What the predictor of the tests says of its first proposal.
SCORE = 0.9 * 0.8
COUNT, SHAPE = 16, (40, 50)


@pytest.fixture
def truth() -> np.ndarray:
    """(H, W) bool: the object, the same on every slice."""
    mask = np.zeros(SHAPE, bool)
    mask[10:26, 12:30] = True
    return mask


@pytest.fixture
def volume(truth: np.ndarray) -> np.ndarray:
    return np.repeat(truth[None].astype(np.uint8), COUNT, 0) * 60


def followed(truth: np.ndarray, on: Iterable[int], predicted: float = SCORE) -> ObjectSlices:
    """The object as propagation left it on some slices."""
    slices = ObjectSlices(COUNT)
    for index in on:
        slices.put(SliceMask.of(index, truth, LabelledBy.PROPAGATED, predicted))
    return slices


def again(
    predictor: FloodPredictor,
    volume: np.ndarray,
    slices: ObjectSlices,
    corrected: int,
    keep: Keep | None = Keep(),  # noqa: B008 - frozen
) -> tuple[list[int], dict[int, Stopped]]:
    """Follow again; the slices that changed, and how each way ended."""
    stack = PlaneStack(volume, Plane(volume.shape, (1, 2), (0,)), 0, "boxes")
    changed, ends = [], {}
    for event in propagate_again(predictor, stack, slices, corrected, keep=keep):
        if isinstance(event, Stopped):
            ends[event.step] = event
        else:
            changed.append(event.index)
    return changed, ends


def leak(volume: np.ndarray, *indices: int) -> None:
    """Join the object to something as large as itself, so that the predictor takes both."""
    for index in indices:
        volume[index, 12:20, 30:46] = 60


def test_good_slices_survive_what_is_found_now(
    predictor: FloodPredictor, volume: np.ndarray, truth: np.ndarray
) -> None:
    leak(volume, 7, 8, 9)
    slices = followed(truth, range(2, 14))
    slices.put(SliceMask.of(6, truth))
    held = {labelled.index: labelled for labelled in slices}
    changed, ends = again(predictor, volume, slices, 6)
    assert changed == []
    assert {labelled.index: labelled for labelled in slices} == held
    assert {stop.reason for stop in ends.values()} == {Reason.STAYED}
    assert "were better as they were" in Reason.STAYED.value
    assert {step: stop.index for step, stop in ends.items()} == {1: 9, -1: 3}
    assert len(predictor.questions) == 4  # beyond two that stayed, nothing is asked about

    # without it, what was good is replaced by what leaks
    changed, _ = again(predictor, volume, slices, 6, None)
    assert 7 in changed
    leaked = slices.get(7)
    assert leaked is not None
    assert leaked.area > truth.sum()


def test_bad_slices_are_mended_as_far_as_they_are_bad(
    predictor: FloodPredictor, volume: np.ndarray, truth: np.ndarray
) -> None:
    slices = followed(truth, range(2, 14))
    half = truth & (np.arange(SHAPE[1]) < 20)
    for index in (7, 8, 9):
        slices.put(SliceMask.of(index, half, LabelledBy.PROPAGATED, SCORE))
    slices.put(SliceMask.of(6, truth))
    changed, ends = again(predictor, volume, slices, 6)
    assert changed == [7, 8, 9]
    for labelled in slices:
        np.testing.assert_array_equal(labelled.plane_mask(), truth)
    assert {step: (stop.reason, stop.index) for step, stop in ends.items()} == {
        1: (Reason.STAYED, 12),
        -1: (Reason.STAYED, 3),
    }


@pytest.mark.parametrize(("predicted", "mended"), [(0.5, [7, 8, 9]), (0.8, [])])
def test_the_score_counts_as_well(
    predictor: FloodPredictor,
    volume: np.ndarray,
    truth: np.ndarray,
    predicted: float,
    mended: list[int],
) -> None:
    slices = followed(truth, range(2, 14))
    for index in (7, 8, 9):
        slices.put(SliceMask.of(index, truth, LabelledBy.PROPAGATED, predicted))
    slices.put(SliceMask.of(6, truth))
    assert again(predictor, volume, slices, 6)[0] == mended


def test_one_that_stays_between_bad_ones_ends_nothing(
    predictor: FloodPredictor, volume: np.ndarray, truth: np.ndarray
) -> None:
    slices = followed(truth, range(2, 14))
    half = truth & (np.arange(SHAPE[1]) < 20)
    for index in (7, 9):
        slices.put(SliceMask.of(index, half, LabelledBy.PROPAGATED, SCORE))
    slices.put(SliceMask.of(6, truth))
    assert again(predictor, volume, slices, 6)[0] == [7, 9]


def test_where_the_model_is_no_longer_sure_a_slice_keeps_what_it_held(
    predictor: FloodPredictor, volume: np.ndarray, truth: np.ndarray
) -> None:
    volume[7] = 0  # the flood finds all of the slice: the area jumps
    most = truth & (np.arange(SHAPE[1]) < 26)
    slices = followed(most, range(2, 14))
    slices.put(SliceMask.of(6, truth))
    changed, ends = again(predictor, volume, slices, 6)
    assert 7 not in changed
    kept = slices.get(7)
    assert kept is not None
    np.testing.assert_array_equal(kept.plane_mask(), most)
    assert (ends[1].reason, ends[1].lost) == (Reason.STAYED, ())


def test_where_neither_goes_on_with_the_corrected_object_it_ends(
    predictor: FloodPredictor, volume: np.ndarray, truth: np.ndarray
) -> None:
    volume[9:] = 0
    slices = followed(truth, range(2, 9))
    for index in range(9, 14):  # where the object has ended, the whole slice was taken for it
        slices.put(SliceMask.of(index, np.ones(SHAPE, bool), LabelledBy.PROPAGATED, SCORE))
    slices.put(SliceMask.of(8, truth))
    _, ends = again(predictor, volume, slices, 8)
    assert (ends[1].reason, ends[1].index) == (Reason.AREA, 9)
    assert ends[1].lost == (9, 10, 11, 12, 13)
    assert [labelled.index for labelled in slices] == list(range(2, 9))


def test_beyond_what_it_held_the_object_is_followed_as_ever(
    predictor: FloodPredictor, volume: np.ndarray, truth: np.ndarray
) -> None:
    volume[12:] = 0
    slices = followed(truth, range(2, 8))
    slices.put(SliceMask.of(6, truth))
    changed, ends = again(predictor, volume, slices, 6)
    assert changed == [8, 9, 10, 11]
    assert (ends[1].reason, ends[1].index) == (Reason.AREA, 12)


def test_a_gap_before_a_slice_labelled_by_hand_is_filled(
    predictor: FloodPredictor, volume: np.ndarray, truth: np.ndarray
) -> None:
    slices = followed(truth, range(2, 11))
    slices.put(SliceMask.of(6, truth))
    slices.put(SliceMask.of(14, truth))
    changed, ends = again(predictor, volume, slices, 6)
    assert changed == [11, 12, 13]
    assert (ends[1].reason, ends[1].index) == (Reason.HAND, 14)
    changed, ends = again(predictor, volume, slices, 6)
    assert changed == []
    assert (ends[1].reason, ends[1].index) == (Reason.STAYED, 9)


def test_between_slices_by_hand_one_that_agrees_with_both_is_worth_more_than_interpolation(
    predictor: FloodPredictor, volume: np.ndarray, truth: np.ndarray
) -> None:
    leak(volume, 7)
    volume[7, :, 32:] = 60  # far too much: the interpolation would step in
    near = np.roll(truth, 1, axis=1)
    slices = followed(near, range(2, 14))
    slices.put(SliceMask.of(6, truth))
    slices.put(SliceMask.of(9, truth))
    slices.put(SliceMask.of(8, ~truth, LabelledBy.PROPAGATED, SCORE))
    changed, _ = again(predictor, volume, slices, 6)
    assert changed[0] == 8
    kept = slices.get(7)
    assert kept is not None
    np.testing.assert_array_equal(kept.plane_mask(), near)


def test_the_ends_of_the_object_are_still_to_check_after_a_correction_in_its_middle(
    predictor: FloodPredictor, volume: np.ndarray, truth: np.ndarray
) -> None:
    slices = followed(truth, range(2, 14))
    slices.put(SliceMask.of(6, truth))
    found = SliceMask.of(14, truth, LabelledBy.PROPAGATED, 0.3)
    stop = Stopped(14, 1, Reason.UNSURE, found)
    _, ends = again(predictor, volume, slices, 6)
    assert all(end.inside for end in ends.values())
    assert not stop.inside
    assert 14 in {rating.index for rating in rate_slices(slices, [stop])}
    # but not where the object has been found to end before
    slices.drop(13)
    assert 14 not in {rating.index for rating in rate_slices(slices, [stop])}
