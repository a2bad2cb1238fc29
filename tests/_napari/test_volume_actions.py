"""An object followed through a volume in a viewer: what is written, kept and undone."""

from __future__ import annotations

import numpy as np
import pytest

from napari_piclick._qt.volume_strings import status
from napari_piclick.session import object_index, whereabouts
from napari_piclick.session.slice_mask import LabelledBy, SliceMask
from napari_piclick.session.stopping import Reason, Rules
from napari_piclick.session.volume_session import VolumeSession

HAND, PROPAGATED = LabelledBy.HAND, LabelledBy.PROPAGATED


@pytest.fixture
def controller(viewer, open_controller, blocks):
    viewer.add_image(blocks, name="blocks")
    controller = open_controller()
    yield controller
    controller.close()


@pytest.fixture
def stream(controller, jobs):
    return jobs.streams[0]


def show(viewer, index, axis=0):
    viewer.dims.set_current_step(axis, index)


def keep(controller, jobs, click, *voxel):
    click(*voxel)
    jobs.work()
    controller.accept()


def paint(controller, *voxel, size=8):
    """What a brush does."""
    controller.target.brush_size = size
    controller.target.paint(voxel, 1)


def by(controller):
    """Who labelled each slice."""
    return {labelled.index: labelled.by for labelled in controller.volume.selected.followed.slices}


@pytest.fixture
def kept(viewer, controller, jobs, click):
    """The first box, kept as object 1 on slice 5."""
    show(viewer, 5)
    keep(controller, jobs, click, 5, 10, 10)
    return controller


def test_one_click_becomes_an_object_and_one_undo_takes_it_back(kept, blocks, stream):
    kept.volume.propagate()
    assert kept.volume.running
    stream.work()
    assert not kept.volume.running
    np.testing.assert_array_equal(kept.target.data, blocks == 60)
    assert by(kept) == {5: HAND, **dict.fromkeys([2, 3, 4, 6, 7, 8], PROPAGATED)}
    assert {s.index for s in kept.volume.selected.followed.stopped.values()} == {1, 9}
    kept.undo()
    assert np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist() == [5]
    assert by(kept) == {5: HAND}
    kept.redo()
    np.testing.assert_array_equal(kept.target.data, blocks == 60)
    assert by(kept)[7] is PROPAGATED


def test_masks_too_large_to_be_searched_unasked_are_labelled_by_hand_on_all_their_slices(
    viewer, controller, jobs, click, blocks, monkeypatch
):
    for module in (whereabouts, object_index):
        monkeypatch.setattr(module, "SEARCHED", 0)
    masks = np.zeros(blocks.shape, np.uint16)
    masks[[3, 7], 6:16, 8:18] = 7
    layer = viewer.add_labels(masks, name="masks")
    controller.labels.set_target(layer)
    layer.selected_label = 7
    assert by(controller) == {3: HAND, 7: HAND}
    show(viewer, 5)
    controller.volume.again = False
    controller.labels.reopen(7)
    controller.start()
    keep(controller, jobs, click, 5, 10, 10)
    layer.selected_label = 8
    assert by(controller) == {}
    layer.selected_label = 7
    assert by(controller) == {3: HAND, 5: HAND, 7: HAND}


def test_an_unfinished_object_is_kept_first(viewer, controller, jobs, click, blocks, stream):
    show(viewer, 5)
    click(5, 10, 10)
    jobs.work()
    controller.volume.propagate()
    stream.work()
    np.testing.assert_array_equal(controller.target.data, blocks == 60)


def test_it_streams_and_can_be_stopped(kept, stream):
    kept.volume.propagate()
    stream.work(1)
    assert np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist() == [5, 6]
    kept.volume.cancel()
    stream.work()
    assert not kept.volume.running
    assert np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist() == [5, 6]


def test_a_range_and_a_direction_are_kept_to(kept, stream):
    kept.volume.propagate((1,), Rules(last=7))
    stream.work()
    assert sorted(by(kept)) == [5, 6, 7]
    assert kept.volume.selected.followed.stopped[1].reason is Reason.RANGE


def test_other_objects_keep_their_voxels(kept, stream):
    kept.target.data[7, 5:20, 6:10] = 9
    kept.volume.propagate()
    stream.work()
    assert (kept.target.data[7, 5:20, 6:10] == 9).all()
    assert (kept.target.data[7, 5:20, 10:22] == 1).all()


def test_slices_painted_by_hand_are_never_touched(kept, viewer, stream):
    paint(kept, 7, 10, 10)
    painted = kept.target.data[7] == 1
    assert 0 < painted.sum() < 100
    assert by(kept)[7] is HAND
    kept.volume.propagate()
    stream.work()
    np.testing.assert_array_equal(kept.target.data[7] == 1, painted)
    assert by(kept) == {5: HAND, 7: HAND, 6: by(kept)[6], 4: PROPAGATED, 3: PROPAGATED,
                        2: PROPAGATED}  # fmt: skip


def test_a_slice_painted_on_meanwhile_stops_it(kept, stream):
    kept.volume.propagate()
    stream.work(1)
    paint(kept, 7, 10, 10)
    assert not kept.volume.running
    stream.work()
    assert np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist() == [5, 6, 7]
    assert by(kept)[7] is HAND


def test_undo_in_the_middle_takes_back_what_there_is_and_nothing_more_comes(kept, stream):
    kept.volume.propagate()
    stream.work(2)
    kept.undo()
    stream.work()
    assert np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist() == [5]


def test_a_slice_without_the_object_is_said_and_what_lies_beyond_is_forgotten(
    kept, viewer, stream, blocks
):
    kept.volume.propagate()
    stream.work()
    show(viewer, 7)
    kept.volume.clear_slice()
    stream.work()
    on = np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist()
    assert on == [2, 3, 4, 5, 6]
    assert by(kept)[7] is HAND
    assert "stopped at slice 7, the object ends" in status(kept.volume)
    kept.undo()
    assert np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist() == [2, 3, 4, 5, 6, 8]
    kept.redo()
    show(viewer, 5)
    kept.volume.propagate()
    stream.work()
    assert np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist() == [2, 3, 4, 5, 6]


def test_a_correction_leaves_good_slices_as_they_are_and_mends_bad_ones(
    kept, viewer, jobs, click, stream, blocks
):
    kept.volume.propagate()
    stream.work()
    before = kept.target.data.copy()
    show(viewer, 6)
    kept.volume.correct()
    keep(kept, jobs, click, 6, 12, 12)
    assert kept.volume.running
    stream.work()
    np.testing.assert_array_equal(kept.target.data, before)
    assert by(kept) == {5: HAND, 6: HAND, **dict.fromkeys([2, 3, 4, 7, 8], PROPAGATED)}
    followed = kept.volume.selected.followed
    assert {stop.reason for stop in followed.stopped.values()} == {Reason.HAND, Reason.STAYED}
    assert "better as they were" in status(kept.volume)
    # the ends where propagation stopped are still among what is to be checked
    assert {r.index for r in followed.ratings if r.by is None} == {1, 9}

    # slices that differ from the corrected one are found again, and one undo takes that back
    half = blocks[7] == 60
    half[:, 12:] = False
    for index in (7, 8):
        followed.slices.put(SliceMask.of(index, half, PROPAGATED, 0.7))
    kept.volume.propagate_again()
    stream.work()
    np.testing.assert_array_equal(followed.slices.get(7).plane_mask(), blocks[7] == 60)


def test_interpolation_between_slices_labelled_by_hand(kept, viewer, stream, blocks):
    rows, cols = np.nonzero(blocks[8] == 60)
    kept.target.data_setitem((np.full(len(rows), 8), rows, cols), 1)
    kept.volume.interpolate()
    stream.work()
    np.testing.assert_array_equal(kept.target.data[5:9], blocks[5:9] == 60)
    assert by(kept)[6] is LabelledBy.INTERPOLATED
    kept.undo()
    assert np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist() == [5, 8]


def test_a_script_interpolates_as_the_window_does(viewer, open_controller, jobs, blocks, predictor):
    scale = (2.0, 0.5, 3.0)
    viewer.add_image(blocks, name="slabs", scale=scale)
    layer = viewer.add_labels(np.zeros(blocks.shape, np.uint16), name="labels", scale=scale)
    layer.data[2, 5:12, 6:40] = 1
    layer.data[9, 15:38, 10:18] = 1
    layer.data[5, 12:16, 12:20] = 2
    controller = open_controller()
    controller.labels.set_target(layer)
    data = layer.data.copy()
    show(viewer, 2)
    controller.volume.selected.set_label(1)
    controller.volume.interpolate()
    jobs.streams[0].work()
    session = VolumeSession(predictor, blocks, data, spacing=scale)
    assert session.interpolate(1) == [3, 4, 5, 6, 7, 8]
    np.testing.assert_array_equal(data, layer.data)
    controller.close()


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0)])
def test_any_plane_that_is_displayed(viewer, controller, jobs, click, stream, blocks, order):
    viewer.dims.order = order
    show(viewer, 12, order[0])
    place = [5, 10, 10]
    place[order[0]] = 12
    keep(controller, jobs, click, *place)
    controller.volume.propagate()
    stream.work()
    np.testing.assert_array_equal(controller.target.data, blocks == 60)


def test_along_time(viewer, open_controller, jobs, click, blocks):
    movie = np.stack([blocks[:6]] * 4)
    viewer.add_image(movie, name="movie")
    controller = open_controller()
    viewer.dims.set_current_step(0, 1)
    viewer.dims.set_current_step(1, 5)
    keep(controller, jobs, click, 1, 5, 10, 10)
    assert controller.volume.selected.axes == (0, 1)
    controller.volume.selected.set_axis(0)
    controller.volume.propagate()
    jobs.streams[0].work()
    np.testing.assert_array_equal(controller.target.data[:, 5], movie[:, 5] == 60)
    assert not controller.target.data[:, :5].any()
    controller.close()


def test_the_slice_that_most_needs_a_look_comes_into_view(kept, viewer, stream):
    kept.volume.propagate()
    stream.work()
    kept.volume.go_to_doubtful()
    assert viewer.dims.current_step[0] == kept.volume.selected.followed.doubtful.index != 5


def test_neighbours_are_encoded_after_an_object_was_kept(kept, jobs, predictor):
    jobs.streams[1].work()
    assert [key[1][1] for key, _ in predictor.ahead] == [(6,), (4,), (7,), (3,)]


def test_what_cannot_be_done_is_said(viewer, controller, said, blocks):
    controller.volume.propagate()
    assert "There is no object yet" in said[-1]
    viewer.add_image(blocks[0], name="flat")
    controller.set_image(viewer.layers["flat"])
    controller.volume.propagate()
    assert "one plane only" in said[-1]


def test_an_error_in_the_worker_is_said_and_what_was_found_stays(kept, stream, predictor, said):
    kept.volume.propagate()
    stream.work(1)
    predictor.error = ValueError("The model has no more to say.")
    stream.work()
    assert said[-1] == "The model has no more to say."
    assert np.flatnonzero(kept.target.data.any(axis=(1, 2))).tolist() == [5, 6]


def test_labels_that_are_chosen_meanwhile_take_nothing_of_it(kept, viewer, stream, blocks):
    kept.volume.propagate()
    stream.work(2)
    first, before = kept.target, kept.target.data.copy()
    other = viewer.add_labels(np.zeros(blocks.shape, np.uint16))
    kept.labels.set_target(other)
    stream.work()
    assert not kept.volume.running
    assert not other.data.any()
    np.testing.assert_array_equal(first.data, before)
