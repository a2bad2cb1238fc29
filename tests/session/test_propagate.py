"""Propagation, by a predictor whose answers are known: what continues, what stops, what is kept."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from napari_piclick.plane import Plane
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region
from napari_piclick.session.continuity import Continuity, continue_object
from napari_piclick.session.plane_stack import PlaneStack
from napari_piclick.session.propagate import propagate, propagate_again
from napari_piclick.session.quality import most_doubtful, rate_slices
from napari_piclick.session.slice_mask import LabelledBy, ObjectSlices, SliceMask
from napari_piclick.session.slice_prompt import place_clicks
from napari_piclick.session.stopping import Reason, Rules, Stopped


def stack_of(volume, axis=0):
    shown = tuple(a for a in range(3) if a != axis)
    return PlaneStack(volume, Plane(volume.shape, shown, (0,)), axis, "blocks")


def hand(index, mask):
    return SliceMask.of(index, mask)


def run(events):
    """(indices of the slices found, how each direction ended)."""
    events = list(events)
    return (
        [event.index for event in events if isinstance(event, SliceMask)],
        [event for event in events if isinstance(event, Stopped)],
    )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_object_is_followed_to_its_ends_in_any_direction(predictor, blocks, axis):
    truth = np.moveaxis(blocks == 60, axis, 0)
    on = np.flatnonzero(truth.any(axis=(1, 2)))
    start = int(on[len(on) // 2])
    slices = ObjectSlices(len(truth))
    slices.put(hand(start, truth[start]))
    stack = stack_of(blocks, axis)
    found, stops = run(propagate(predictor, stack, slices, start))
    assert sorted([*found, start]) == on.tolist()
    for labelled in slices:
        np.testing.assert_array_equal(labelled.plane_mask(), truth[labelled.index])
    assert [stop.step for stop in stops] == [1, -1]
    # Beyond its ends, the background is what the flood finds.
    assert {stop.reason for stop in stops} == {Reason.AREA}
    assert [stop.index for stop in stops] == [on[-1] + 1, on[0] - 1]


def test_each_slice_is_asked_with_the_last_mask_and_a_click_inside_it(predictor, blocks):
    slices = ObjectSlices(12)
    slices.put(hand(5, blocks[5] == 60))
    list(propagate(predictor, stack_of(blocks), slices, 5, steps=(1,), rules=Rules(max_slices=1)))
    (clicks,), (previous,) = predictor.questions, predictor.previous
    assert len(clicks) == 1
    assert blocks[5][clicks[0].pixel] == 60
    np.testing.assert_array_equal(previous.plane_mask(), blocks[5] == 60)


def test_the_next_slice_is_encoded_ahead_in_the_background(predictor, blocks):
    slices = ObjectSlices(12)
    slices.put(hand(5, blocks[5] == 60))
    list(propagate(predictor, stack_of(blocks), slices, 5, steps=(1,)))
    assert [key[1][1] for key, _ in predictor.ahead] == [(7,), (8,), (9,)]
    assert threading.get_ident() not in {thread for _, thread in predictor.ahead}
    predictor.ahead.clear()
    list(propagate(predictor, stack_of(blocks), slices, 5, steps=(1,), ahead=False))
    assert predictor.ahead == []


def test_closing_stops_at_once_and_keeps_what_was_found(predictor, blocks):
    slices = ObjectSlices(12)
    slices.put(hand(5, blocks[5] == 60))
    events = propagate(predictor, stack_of(blocks), slices, 5)
    next(events)
    events.close()
    assert [labelled.index for labelled in slices] == [5, 6]
    assert len(predictor.questions) == 1


@pytest.mark.parametrize(
    ("rules", "found", "reasons"),
    [
        (Rules(max_slices=2), [6, 7, 4, 3], {Reason.COUNT}),
        (Rules(first=4, last=6), [6, 4], {Reason.RANGE}),
        (Rules(min_iou=0.95), [], {Reason.UNSURE}),
        (Rules(min_area=10_000), [], {Reason.EMPTY}),
    ],
)
def test_rules_stop_it(predictor, blocks, rules, found, reasons):
    slices = ObjectSlices(12)
    slices.put(hand(5, blocks[5] == 60))
    indices, stops = run(propagate(predictor, stack_of(blocks), slices, 5, rules=rules))
    assert indices == found
    assert {stop.reason for stop in stops} == reasons


def test_a_score_much_lower_than_on_the_first_slices_stops_it(predictor, blocks, monkeypatch):
    answer = predictor.predict

    def less_sure_at_slice_8(clicks, previous=None):
        answered = answer(clicks, previous)
        share = 0.45 if len(predictor.questions) == 3 else 1.0
        return replace(answered, confidence=answered.confidence * share)

    monkeypatch.setattr(predictor, "predict", less_sure_at_slice_8)
    for rules, found in ((Rules(), [6, 7]), (Rules(min_share=0.4), [6, 7, 8])):
        predictor.questions.clear()
        slices = ObjectSlices(12)
        slices.put(hand(5, blocks[5] == 60))
        indices, (stop,) = run(
            propagate(predictor, stack_of(blocks), slices, 5, steps=(1,), rules=rules)
        )
        assert indices == found
    assert stop.reason is Reason.AREA


def test_the_end_of_the_volume_stops_it(predictor):
    volume = np.zeros((4, 20, 20), np.uint8)
    volume[:, 5:10, 5:10] = 9
    slices = ObjectSlices(4)
    slices.put(hand(1, volume[1] == 9))
    found, stops = run(propagate(predictor, stack_of(volume), slices, 1))
    assert sorted(found) == [0, 2, 3]
    assert [(stop.reason, stop.index) for stop in stops] == [(Reason.END, 4), (Reason.END, -1)]


def test_an_object_that_jumps_aside_is_lost(predictor):
    volume = np.zeros((3, 60, 60), np.uint8)
    volume[:2, 20:30, 20:30] = 9
    volume[2, 24:34, 28:38] = 9  # about as large, hardly in the same place
    slices = ObjectSlices(3)
    slices.put(hand(0, volume[0] == 9))
    rules = Rules(min_overlap=0.3, max_area_jump=1e9)
    found, (stop,) = run(propagate(predictor, stack_of(volume), slices, 0, steps=(1,), rules=rules))
    assert found == [1]
    assert stop.reason is Reason.LOST
    assert stop.early
    assert stop.rejected.index == 2


def test_slices_labelled_by_hand_are_never_changed(predictor, blocks):
    odd = np.zeros((40, 50), bool)
    odd[3:9, 3:9] = True  # not what the flood would find
    slices = ObjectSlices(12)
    slices.put(hand(5, blocks[5] == 60))
    slices.put(hand(7, odd))
    found, stops = run(propagate(predictor, stack_of(blocks), slices, 5, steps=(1,)))
    assert found == [6]
    assert (stops[0].reason, stops[0].index) == (Reason.HAND, 7)
    np.testing.assert_array_equal(slices.get(7).plane_mask(), odd)
    machine = SliceMask.of(7, blocks[7] == 60, LabelledBy.PROPAGATED)
    assert not slices.put(machine)
    np.testing.assert_array_equal(slices.get(7).plane_mask(), odd)


def test_between_hand_labelled_slices_the_interpolation_steps_in_where_the_model_fails(predictor):
    volume = np.zeros((5, 40, 40), np.uint8)
    volume[:, 10:20, 10:20] = 9
    volume[2] = 0  # a slice on which the object cannot be seen
    truth = np.zeros((40, 40), bool)
    truth[10:20, 10:20] = True
    slices = ObjectSlices(5)
    slices.put(hand(0, truth))
    slices.put(hand(4, truth))
    found, _ = run(propagate(predictor, stack_of(volume), slices, 0, steps=(1,)))
    assert found == [1, 2, 3]
    assert [slices.get(k).by for k in found] == [
        LabelledBy.PROPAGATED,
        LabelledBy.INTERPOLATED,
        LabelledBy.PROPAGATED,
    ]
    np.testing.assert_array_equal(slices.get(2).plane_mask(), truth)


def test_a_correction_reaches_to_the_next_hand_labelled_slices_only(predictor, blocks):
    slices = ObjectSlices(12)
    slices.put(hand(3, blocks[3] == 60))
    slices.put(hand(8, blocks[8] == 60))
    wrong = SliceMask.of(2, blocks[2] == 120, LabelledBy.PROPAGATED)
    slices.put(wrong)
    for k in (4, 5, 6, 7):
        slices.put(SliceMask.of(k, blocks[k] == 120, LabelledBy.PROPAGATED))
    slices.put(hand(5, blocks[5] == 60))
    found, stops = run(propagate_again(predictor, stack_of(blocks), slices, 5))
    assert found == [6, 7, 4]
    assert {stop.reason for stop in stops} == {Reason.HAND}
    assert slices.get(2) is wrong
    for k in (4, 6, 7):
        np.testing.assert_array_equal(slices.get(k).plane_mask(), blocks[k] == 60)


def test_a_slice_found_empty_ends_the_object_there(predictor, blocks):
    slices = ObjectSlices(12)
    slices.put(hand(5, blocks[5] == 60))
    list(propagate(predictor, stack_of(blocks), slices, 5))
    slices.put(hand(7, np.zeros((40, 50), bool)))
    found, stops = run(propagate_again(predictor, stack_of(blocks), slices, 7))
    assert found == []  # what lies before it is as good as it was
    assert [(stop.reason, stop.lost) for stop in stops if stop.lost] == [(Reason.EMPTY, (8,))]
    assert [labelled.index for labelled in slices] == [2, 3, 4, 5, 6, 7]
    assert slices.get(7).area == 0


def test_it_needs_an_object_to_start_from(predictor, blocks):
    slices = ObjectSlices(12)
    with pytest.raises(ValueError, match="not labelled on slice 5"):
        next(propagate(predictor, stack_of(blocks), slices, 5))
    with pytest.raises(ValueError, match="not labelled"):
        next(propagate_again(predictor, stack_of(blocks), slices, 5))
    with pytest.raises(ValueError, match="axis 1"):
        PlaneStack(blocks, Plane(blocks.shape, (1, 2), (0,)), 1, "key")
    with pytest.raises(IndexError):
        slices.put(hand(12, blocks[5] == 60))


def test_every_larger_part_gets_a_click_at_its_deepest_point():
    mask = np.zeros((40, 60), bool)
    mask[5:14, 5:14] = True
    mask[20:31, 30:41] = True
    mask[36, 2] = True
    clicks = place_clicks(hand(0, mask))
    assert [click.pixel for click in clicks] == [(25, 35), (9, 9)]
    assert place_clicks(hand(0, np.zeros((4, 4), bool))) == ()


def proposals_of(*masks, iou):
    masks = np.stack(masks).astype(np.float32)
    confidence = np.ones(len(masks), np.float32)
    shape = masks.shape[1:]
    return Proposals(masks, Region.whole(shape), shape, np.array(iou, np.float32), confidence)


def test_the_proposal_that_continues_the_object_is_taken():
    whole, part, aside = np.zeros((3, 40, 40), bool)
    whole[5:35, 5:35] = True
    part[12:20, 12:20] = True
    aside[24:32, 24:32] = True
    proposals = proposals_of(whole, aside, part, iou=[0.9, 0.8, 0.7])
    expected = hand(0, np.roll(part, 1, axis=0))
    found = continue_object(1, proposals, expected, Continuity())
    assert found.proposal == 2
    np.testing.assert_array_equal(found.labelled.plane_mask(), part)
    assert found.labelled.agreement == pytest.approx(7 / 9)
    assert found.labelled.predicted == pytest.approx(0.7)
    # Without continuity, the model chooses.
    assert continue_object(1, proposals, expected, None).proposal == 0


def test_empty_proposals_are_no_reason_to_fail():
    nothing = np.zeros((20, 20), bool)
    expected = nothing.copy()
    expected[4:9, 4:9] = True
    found = continue_object(
        1, proposals_of(nothing, nothing, iou=[0.5, 0.4]), expected=hand(0, expected)
    )
    assert found.labelled.area == 0


def test_the_most_doubtful_slice_is_the_one_that_differs(predictor, blocks):
    slices = ObjectSlices(12)
    slices.put(hand(5, blocks[5] == 60))
    list(propagate(predictor, stack_of(blocks), slices, 5))
    shifted = np.roll(blocks[4] == 60, 6, axis=1)
    slices.put(SliceMask.of(4, shifted, LabelledBy.PROPAGATED, 0.7, 0.5))
    rated = rate_slices(slices)
    assert [rating.index for rating in rated] == [2, 3, 4, 5, 6, 7, 8]
    assert most_doubtful(rated).index in {2, 4, 3}
    by_index = {rating.index: rating for rating in rated}
    assert by_index[4].quality < by_index[6].quality < by_index[5].quality == 1
    slices.put(hand(4, blocks[4] == 60))
    assert {rating.index: rating for rating in rate_slices(slices)}[4].by is LabelledBy.HAND


def test_of_two_doubtful_slices_the_larger_needs_the_look():
    large, small = np.zeros((2, 40, 40), bool)
    large[5:35, 5:35] = True
    small[5:11, 5:11] = True
    slices = ObjectSlices(9)
    for index, mask, predicted in ((2, small, 0.3), (6, large, 0.4)):
        slices.put(SliceMask.of(index, mask, LabelledBy.PROPAGATED, predicted))
        for beside in (index - 1, index + 1):
            slices.put(hand(beside, mask))
    rated = {rating.index: rating for rating in rate_slices(slices)}
    assert rated[2].quality < rated[6].quality
    assert most_doubtful(rated.values()).index == 6


def test_a_slice_where_it_stopped_early_is_among_the_doubtful(predictor, blocks):
    slices = ObjectSlices(12)
    slices.put(hand(5, blocks[5] == 60))
    _, stops = run(propagate(predictor, stack_of(blocks), slices, 5))
    unlabelled = [rating.index for rating in rate_slices(slices, stops) if rating.by is None]
    assert unlabelled == [1, 9]
    assert most_doubtful(rate_slices(ObjectSlices(3))) is None
