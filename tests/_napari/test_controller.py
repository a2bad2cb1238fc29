from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
from napari.layers import Labels, Points

from napari_piclick._napari.controller import Controller
from napari_piclick.session import LabelEdit
from napari_piclick.session.label_map import ArrayLabels
from napari_piclick.session.recovery import read_journal

if TYPE_CHECKING:
    from pathlib import Path

    from napari.components import ViewerModel
    from tests._napari.conftest import PatientJobs
    from tests.conftest import FloodPredictor

Click = Callable[..., None]
Open = Callable[[], Controller]


@pytest.fixture
def controller(
    viewer: ViewerModel, blocks: np.ndarray, open_controller: Open, jobs: PatientJobs
) -> Controller:
    """A controller on the blocks, slice 5 in view."""
    viewer.add_image(blocks, name="blocks")
    viewer.dims.set_current_step(0, 5)
    return open_controller()


def points_of(viewer: ViewerModel) -> list[list[float]]:
    layers = [layer for layer in viewer.layers if isinstance(layer, Points)]
    return layers[0].data.tolist() if layers else []


def preview_of(viewer: ViewerModel) -> Labels:
    return viewer.layers["PiClick preview"]


def journaled(controller: Controller) -> np.ndarray:
    """The labels as recovery would bring them back after a crash now."""
    found = read_journal(max(controller.keeper.folder.glob("*.jsonl"), key=mtime), "blocks")
    (lost,) = found.labels.values()
    labels = ArrayLabels(np.zeros(lost.shape, lost.dtype))
    lost.edit_of(labels.data).apply(labels)
    return labels.data


def mtime(path: Path) -> int:
    return path.stat().st_mtime_ns


class TestOneObject:
    def test_the_panel_opens_ready_to_click(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs
    ) -> None:
        assert controller.listening
        assert [layer.name for layer in viewer.layers] == [
            "blocks",
            "PiClick preview",
            "PiClick clicks",
        ]
        assert viewer.layers.selection.active.mode == "add"
        assert jobs.prepared[-1].plane.index == (5,)

    def test_a_click_is_answered_shown_and_kept(
        self,
        controller: Controller,
        viewer: ViewerModel,
        jobs: PatientJobs,
        click: Click,
        blocks: np.ndarray,
    ) -> None:
        click(5, 10, 10)
        assert controller.session.question is not None
        jobs.work()
        assert controller.answers.thumbnails is not None
        assert len(controller.answers.thumbnails) == 7
        assert preview_of(viewer).data.sum() == (blocks[5] == 60).sum()
        controller.accept()
        expected = np.zeros(blocks.shape, int)
        expected[5] = blocks[5] == 60
        np.testing.assert_array_equal(controller.target.data, expected)
        assert controller.target.name == "blocks objects"
        assert viewer.layers.index(controller.target) == 1
        assert points_of(viewer) == []
        assert preview_of(viewer).data.sum() == 0
        assert controller.listening, "the next object can be clicked at once"

    def test_right_and_shift_clicks_are_negative(
        self, controller: Controller, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        click(5, 6, 7, button=2)
        click(5, 7, 8, modifiers=("Shift",))
        assert [c.positive for c in controller.session.clicks] == [True, False, False]

    def test_a_negative_click_alone_asks_nothing(
        self, controller: Controller, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10, button=2)
        assert jobs.waiting is None
        click(5, 12, 12)
        assert len(jobs.waiting[0].clicks) == 2

    def test_clicks_during_a_prediction_are_not_lost(
        self, controller: Controller, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        first = jobs.waiting
        click(5, 12, 12)
        click(5, 6, 7, button=2)
        jobs.answer(*first)  # the worker had gone too far to stop
        assert len(jobs.waiting[0].clicks) == 3
        jobs.work()
        assert len(controller.session.clicks) == 3
        assert controller.session.question is None

    def test_another_proposal_can_be_chosen_kept_undone(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        sizes = [preview_of(viewer).data.sum()]
        controller.choose(3)
        sizes.append(preview_of(viewer).data.sum())
        assert sizes[1] > sizes[0]
        controller.undo()
        assert preview_of(viewer).data.sum() == sizes[0]
        controller.redo()
        assert preview_of(viewer).data.sum() == sizes[1]
        controller.choose(99)
        controller.accept()
        assert (controller.target.data != 0).sum() == sizes[1]

    def test_undo_takes_the_point_and_the_preview_away(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.undo()
        assert points_of(viewer) == []
        assert preview_of(viewer).data.sum() == 0
        controller.redo()
        assert points_of(viewer) == [[5, 10, 10]]
        assert preview_of(viewer).data.sum() > 0
        assert controller.answers.thumbnails is not None

    def test_cancel_then_undo(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.cancel()
        assert points_of(viewer) == []
        controller.undo()
        assert points_of(viewer) == [[5, 10, 10]]

    def test_keeping_waits_for_the_last_click(
        self, controller: Controller, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        controller.accept()
        assert controller.accept_waits
        assert controller.target is None
        jobs.work()
        assert not controller.accept_waits
        assert controller.written is not None
        assert (controller.target.data == 1).any()

    def test_another_request_calls_the_waiting_keep_off(
        self, controller: Controller, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        controller.accept()
        click(5, 6, 7, button=2)
        jobs.work()
        assert controller.target is None
        assert len(controller.session.clicks) == 2

    def test_points_moved_or_deleted_by_hand_count(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        click(5, 6, 7, button=2)
        jobs.work()
        layer = viewer.layers["PiClick clicks"]
        layer.selected_data = {1}
        layer.remove_selected()
        assert [c.positive for c in controller.session.clicks] == [True]
        layer.data = np.array([[5, 30, 12.0]])
        assert controller.session.clicks[0].row == 30
        jobs.work()
        assert controller.session.mask()[30, 12]
        controller.undo()
        controller.undo()
        assert len(controller.session.clicks) == 2

    def test_two_objects_get_two_ids_and_the_first_is_untouched(
        self, controller: Controller, jobs: PatientJobs, click: Click, blocks: np.ndarray
    ) -> None:
        for place in ((5, 10, 10), (5, 30, 12)):
            click(*place)
            jobs.work()
            controller.choose(6)
            controller.accept()
        labels = controller.target.data
        assert set(np.unique(labels)) == {0, 1, 2}
        assert (labels[5][blocks[5] == 60] == 1).all()
        assert (labels[5][blocks[5] == 120] != 0).all()
        assert labels[5, 30, 12] == 2


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize(
    "placed",
    [
        {},
        {"scale": (4, 0.5, 2), "translate": (-3, 100, 7)},
        {"affine": np.diag([-2.0, -0.5, 1.0, 1.0])},
    ],
    ids=["plain", "scaled", "mirrored"],
)
def test_objects_land_where_they_were_clicked(
    viewer: ViewerModel,
    blocks: np.ndarray,
    open_controller: Open,
    jobs: PatientJobs,
    click: Click,
    order: tuple[int, ...],
    placed: dict,
) -> None:
    image = viewer.add_image(blocks, **placed)
    viewer.dims.order = order
    controller = open_controller()
    place = (5, 15, 35)
    viewer.dims.set_point(range(3), image.data_to_world(place))
    click(*place)
    jobs.work()
    controller.accept()
    hidden = order[0]
    expected = blocks == 200
    elsewhere = np.arange(blocks.shape[hidden]) != place[hidden]
    expected.swapaxes(0, hidden)[elsewhere] = False
    np.testing.assert_array_equal(controller.target.data != 0, expected)
    for voxel in (place, (0, 0, 0)):
        np.testing.assert_allclose(
            controller.target.data_to_world(voxel), image.data_to_world(voxel)
        )


class TestPlanes:
    def test_an_unfinished_object_waits_on_its_slice(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        viewer.dims.set_current_step(0, 6)
        assert points_of(viewer) == []
        assert controller.session.proposals is None
        assert controller.view.elsewhere(controller.session.unfinished) == [[("-3", 5)]]
        click(6, 30, 12)
        jobs.work()
        controller.accept()
        assert not controller.target.data[5].any()
        viewer.dims.set_current_step(0, 5)
        assert points_of(viewer) == [[5, 10, 10]]
        controller.accept()
        assert (controller.target.data[5] == 2).any()

    @pytest.mark.parametrize("factor", [-2.0, 0.5])
    def test_it_is_named_by_the_number_on_the_slider(
        self,
        viewer: ViewerModel,
        blocks: np.ndarray,
        open_controller: Open,
        click: Click,
        factor: float,
    ) -> None:
        image = viewer.add_image(blocks, affine=np.diag([factor, 1, 1, 1]), translate=(7, 0, 0))
        controller = open_controller()
        viewer.dims.set_point(0, image.data_to_world((3, 0, 0))[0])
        number = viewer.dims.current_step[0]
        click(3, 10, 10)
        viewer.dims.set_current_step(0, number + 1)
        assert controller.view.elsewhere(controller.session.unfinished) == [[("-3", number)]]

    def test_an_answer_for_a_slice_that_was_left_is_dropped_and_asked_again(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        late = jobs.waiting
        viewer.dims.set_current_step(0, 6)
        assert jobs.waiting is None
        jobs.answer(*late)
        assert controller.session.proposals is None
        assert not viewer.layers["PiClick preview"].data.any()
        viewer.dims.set_current_step(0, 5)
        assert jobs.waiting[0].clicks == late[0].clicks
        jobs.work()
        assert controller.session.proposals is not None

    def test_other_axes_are_another_plane(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        viewer.dims.order = (1, 0, 2)
        assert points_of(viewer) == []
        viewer.dims.order = (0, 2, 1)
        assert points_of(viewer) == [], "transposed, the clicks lie elsewhere on the picture"
        viewer.dims.order = (0, 1, 2)
        assert points_of(viewer) == [[5, 10, 10]]

    def test_volumes_are_answered_with_a_sentence(
        self,
        controller: Controller,
        viewer: ViewerModel,
        jobs: PatientJobs,
        click: Click,
        said: list[str],
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        viewer.dims.ndisplay = 3
        assert "2D" in controller.problem
        click(5, 12, 12)
        controller.accept()
        assert said == [controller.problem] * 2
        assert points_of(viewer) == []
        viewer.dims.ndisplay = 2
        assert points_of(viewer) == [[5, 10, 10]]

    def test_a_click_outside_is_answered_with_a_sentence(
        self, controller: Controller, viewer: ViewerModel, click: Click, said: list[str]
    ) -> None:
        click(5, -20, 10)
        assert len(said) == 1
        assert "outside the image" in said[0]
        assert points_of(viewer) == []
        assert controller.session.clicks == ()

    def test_moving_the_image_moves_what_lies_on_it(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        image = viewer.layers["blocks"]
        image.scale = (1, 3, 3)
        image.translate = (0, 50, 60)
        clicks = viewer.layers["PiClick clicks"]
        np.testing.assert_allclose(clicks.data_to_world((5, 10, 10)), (5, 80, 90))
        assert preview_of(viewer).get_value((5, 80, 90), world=True) == 1
        assert preview_of(viewer).get_value((5, 10, 10), world=True) is None
        controller.accept()
        np.testing.assert_allclose(controller.target.scale, (1, 3, 3))


class TestKindsOfImages:
    def test_no_image(
        self,
        viewer: ViewerModel,
        open_controller: Open,
        blocks: np.ndarray,
        said: list[str],
    ) -> None:
        controller = open_controller()
        controller.start()
        controller.accept()
        controller.undo()
        controller.choose(0)
        assert len(said) == 2
        assert all("no image" in sentence for sentence in said)
        viewer.add_image(blocks)
        assert controller.listening, "the first image that comes is taken"

    def test_two_dimensions(
        self,
        viewer: ViewerModel,
        open_controller: Open,
        blocks: np.ndarray,
        jobs: PatientJobs,
        click: Click,
    ) -> None:
        viewer.add_image(blocks[5])
        controller = open_controller()
        click(10, 10)
        jobs.work()
        controller.accept()
        np.testing.assert_array_equal(controller.target.data, blocks[5] == 60)

    def test_five_dimensions(
        self,
        viewer: ViewerModel,
        open_controller: Open,
        blocks: np.ndarray,
        jobs: PatientJobs,
        click: Click,
    ) -> None:
        volume = np.zeros((2, 3, *blocks.shape), np.uint8)
        volume[1, 2] = blocks
        viewer.add_image(volume)
        viewer.dims.set_current_step((0, 1, 2), (1, 2, 5))
        controller = open_controller()
        click(1, 2, 5, 10, 10)
        jobs.work()
        controller.accept()
        expected = np.zeros(volume.shape, bool)
        expected[1, 2, 5] = blocks[5] == 60
        np.testing.assert_array_equal(controller.target.data != 0, expected)

    def test_lazy_images_are_read_one_plane_at_a_time(
        self, viewer: ViewerModel, open_controller: Open, jobs: PatientJobs, click: Click
    ) -> None:
        read: list[int] = []

        def block(block_info: dict) -> np.ndarray:
            read.append(block_info[None]["chunk-location"][0])
            plane = np.zeros((1, 40, 50), np.uint8)
            plane[0, 5:20, 6:22] = 60
            return plane

        chunks = ((1,) * 12, (40,), (50,))
        lazy = da.map_blocks(block, chunks=chunks, dtype=np.uint8, meta=np.empty(0, np.uint8))
        viewer.add_image(lazy, contrast_limits=(0, 255), cache=False)
        viewer.dims.set_current_step(0, 5)
        controller = open_controller()
        read.clear()
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        assert set(read) == {5}
        assert (controller.target.data != 0).sum() == 15 * 16

    def test_multiscale_images_are_read_at_full_size(
        self,
        viewer: ViewerModel,
        open_controller: Open,
        blocks: np.ndarray,
        jobs: PatientJobs,
        click: Click,
    ) -> None:
        viewer.add_image([blocks, blocks[:, ::2, ::2]], multiscale=True)
        viewer.dims.set_current_step(0, 5)
        controller = open_controller()
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        assert controller.target.data.shape == blocks.shape
        np.testing.assert_array_equal(controller.target.data[5] != 0, blocks[5] == 60)

    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    def test_colour_images(
        self,
        viewer: ViewerModel,
        open_controller: Open,
        blocks: np.ndarray,
        jobs: PatientJobs,
        click: Click,
        dtype: type,
        predictor: FloodPredictor,
    ) -> None:
        colours = np.repeat(blocks[..., None], 3, -1).astype(dtype)
        viewer.add_image(colours, rgb=True)
        viewer.dims.set_current_step(0, 5)
        controller = open_controller()
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        assert predictor.images[-1].shape == (40, 50, 3)
        assert controller.target.data.shape == blocks.shape

    def test_what_is_seen_is_what_is_asked(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        viewer.layers["blocks"].contrast_limits = (10, 90)
        click(5, 10, 10)
        assert jobs.waiting[1].contrast_limits == (10.0, 90.0)

    def test_new_pixels_in_the_layer_are_asked_about(
        self,
        controller: Controller,
        viewer: ViewerModel,
        jobs: PatientJobs,
        click: Click,
        blocks: np.ndarray,
    ) -> None:
        key = jobs.prepared[-1].key
        viewer.layers["blocks"].data = blocks[:, ::-1]
        click(5, 10, 10)
        assert jobs.waiting[1].key != key
        np.testing.assert_array_equal(np.asarray(jobs.waiting[1].pixels), blocks[5, ::-1])


class TestTargets:
    def test_labels_of_the_same_size_are_offered(
        self, controller: Controller, viewer: ViewerModel, blocks: np.ndarray
    ) -> None:
        fits = viewer.add_labels(np.zeros(blocks.shape, np.uint8))
        viewer.add_labels(np.zeros((3, 3), np.uint8))
        assert controller.labels.offered == [fits]

    def test_an_existing_layer_keeps_what_is_in_it(
        self,
        controller: Controller,
        viewer: ViewerModel,
        jobs: PatientJobs,
        click: Click,
        blocks: np.ndarray,
    ) -> None:
        data = np.zeros(blocks.shape, np.uint8)
        data[5, :12] = 7
        layer = viewer.add_labels(data.copy())
        controller.labels.set_target(layer)
        controller.start()
        click(5, 15, 10)
        jobs.work()
        controller.accept()
        assert (layer.data[data == 7] == 7).all()
        assert controller.written.label == 8
        assert controller.written.kept_back > 0

    def test_overwriting_must_be_asked_for(
        self,
        controller: Controller,
        viewer: ViewerModel,
        jobs: PatientJobs,
        click: Click,
        blocks: np.ndarray,
        said: list[str],
    ) -> None:
        layer = viewer.add_labels(np.full(blocks.shape, 7, np.uint8))
        controller.labels.set_target(layer)
        controller.start()
        click(5, 15, 10)
        jobs.work()
        controller.accept()
        assert "Overwrite" in said[0]
        assert (layer.data == 7).all()
        assert controller.session.clicks, "the object is still there"
        controller.labels.overwrite = True
        controller.accept()
        assert (layer.data == 8).sum() == (blocks[5] == 60).sum()

    def test_a_layer_that_cannot_be_written_is_refused(
        self, controller: Controller, blocks: np.ndarray, said: list[str]
    ) -> None:
        controller.labels.set_target(Labels(da.zeros(blocks.shape, dtype=np.uint8)))
        assert controller.target is None
        assert "cannot be written" in said[0]

    def test_nothing_to_keep(self, controller: Controller, said: list[str]) -> None:
        controller.accept()
        assert "click on an object first" in said[0]

    def test_the_labels_own_undo_is_a_step_of_ours_in_table_and_journal(
        self, controller: Controller, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        kept = controller.target.data.copy()
        assert [row.label for row in controller.labels.table()] == [1]
        controller.target.undo()
        assert not controller.target.data.any()
        assert controller.labels.table() == []
        assert not journaled(controller).any()
        controller.undo()
        np.testing.assert_array_equal(controller.target.data, kept)
        assert [row.label for row in controller.labels.table()] == [1]
        controller.redo()
        controller.target.redo()
        np.testing.assert_array_equal(journaled(controller), controller.target.data)

    def test_labels_that_another_program_gives_the_layer_are_a_step_too(
        self, controller: Controller, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        kept = controller.target.data
        other = np.where(kept, 0, 2 * np.roll(kept, 25, axis=2)).astype(np.int32)
        controller.target.data = other.copy()
        assert [row.label for row in controller.labels.table()] == [2]
        np.testing.assert_array_equal(journaled(controller), other)
        controller.undo()
        np.testing.assert_array_equal(controller.target.data, kept)
        assert controller.target.data.dtype == kept.dtype
        controller.redo()
        np.testing.assert_array_equal(controller.target.data, other)


class TestLayersComeAndGo:
    def test_the_layer_of_clicks_comes_back_with_its_clicks(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        viewer.layers.remove("PiClick clicks")
        assert not controller.listening
        assert controller.session.clicks
        controller.start()
        assert controller.listening
        assert points_of(viewer) == [[5, 10, 10]]

    def test_the_preview_comes_back(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        viewer.layers.remove("PiClick preview")
        controller.choose(2)
        assert preview_of(viewer).data.any()

    def test_a_deleted_target_is_made_again(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        for _ in range(2):
            click(5, 10, 10)
            jobs.work()
            controller.accept()
            assert controller.target in viewer.layers
            viewer.layers.remove(controller.target)
            assert controller.target is None

    def test_without_its_image_the_next_one_is_taken(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        other = viewer.add_image(np.zeros((20, 20)), name="other")
        viewer.layers.remove("blocks")
        assert controller.image == other
        assert controller.session.unfinished == ()
        assert viewer.layers.selection.active.ndim == 2
        viewer.layers.remove("other")
        assert controller.image is None
        assert len(viewer.layers) == 0

    def test_everything_may_be_deleted_at_once(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        click(5, 30, 12)
        jobs.work()
        viewer.layers.select_all()
        viewer.layers.remove_selected()
        assert len(viewer.layers) == 0
        assert controller.image is None

    def test_an_answer_for_an_image_that_is_gone_is_dropped(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        late = jobs.waiting
        viewer.layers.clear()
        jobs.answer(*late)
        assert len(viewer.layers) == 0
        assert controller.session.proposals is None

    def test_another_image_has_its_own_objects(
        self,
        controller: Controller,
        viewer: ViewerModel,
        jobs: PatientJobs,
        click: Click,
        blocks: np.ndarray,
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        first = controller.image
        other = viewer.add_image(blocks[:, ::-1].copy(), name="other")
        controller.set_image(other)
        assert points_of(viewer) == []
        controller.set_image(first)
        assert points_of(viewer) == [[5, 10, 10]]

    def test_renaming_is_harmless(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        for layer in viewer.layers:
            layer.name = f"my {layer.name}"
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        assert controller.target.data.any()


class TestModelsAndEnds:
    def test_a_model_that_cannot_be_used_is_answered_with_its_sentence(
        self,
        controller: Controller,
        jobs: PatientJobs,
        click: Click,
        predictor: FloodPredictor,
        said: list[str],
    ) -> None:
        predictor.error = ValueError("The model cannot do that: take another one.")
        click(5, 10, 10)
        controller.accept()
        jobs.work()
        assert said == ["The model cannot do that: take another one."]
        assert not controller.accept_waits
        predictor.error = None
        click(5, 12, 12)
        jobs.work()
        assert controller.session.question is None

    def test_another_model_is_asked_the_open_question(
        self, controller: Controller, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.waiting = None
        before = jobs.engine
        controller.answers.use("/somewhere/else.safetensors")
        assert jobs.engine is not before
        assert jobs.waiting is not None

    def test_close_lets_go_of_everything(
        self,
        viewer: ViewerModel,
        blocks: np.ndarray,
        open_controller: Open,
        jobs: PatientJobs,
        click: Click,
    ) -> None:
        image = viewer.add_image(blocks, name="blocks")
        viewer.dims.set_current_step(0, 5)
        controller = open_controller()
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        target = controller.target
        drawn: list[int] = []
        controller.changed.connect(lambda: drawn.append(1))
        controller.close()
        controller.close()
        assert drawn == [], "the panel may be gone already"
        assert list(viewer.layers) == [image, target]
        assert jobs.closed
        gone = weakref.ref(controller)
        del controller
        gc.collect()
        assert gone() is None
        viewer.dims.set_current_step(0, 6)
        image.scale = (1, 2, 2)
        viewer.layers.clear()


class TestOneUndo:
    def test_undo_goes_to_where_it_was(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        assert (controller.target.data == 1).any()
        viewer.dims.order = (2, 0, 1)
        viewer.dims.set_current_step(2, 40)
        click(5, 12, 40)
        jobs.work()
        viewer.dims.ndisplay = 3
        controller.undo()
        assert viewer.dims.ndisplay == 2
        assert controller.plane.displayed == (0, 1)
        assert controller.plane.index == (40,)
        assert points_of(viewer) == []
        controller.undo()
        assert (controller.plane.displayed, controller.plane.index) == ((1, 2), (5,))
        assert not controller.target.data.any()
        assert points_of(viewer) == [[5, 10, 10]]
        assert controller.written is None
        controller.undo()
        controller.undo()
        for _ in range(4):
            controller.redo()
        assert controller.plane.index == (40,)
        assert (controller.target.data == 1).any()

    def test_undo_goes_to_another_image(
        self,
        controller: Controller,
        viewer: ViewerModel,
        jobs: PatientJobs,
        click: Click,
        blocks: np.ndarray,
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        first = controller.image
        other = viewer.add_image(blocks[5].copy(), name="other")
        controller.set_image(other)
        assert controller.target is None
        controller.undo()
        assert controller.image == first
        assert not viewer.layers["blocks objects"].data.any()

    @pytest.mark.parametrize("units", [("mm", "um", "um"), ("um", "um", "um")])
    def test_it_finds_the_slice_whatever_the_units(
        self,
        viewer: ViewerModel,
        blocks: np.ndarray,
        open_controller: Open,
        jobs: PatientJobs,
        click: Click,
        units: tuple[str, ...],
    ) -> None:
        viewer.add_image(blocks, scale=(0.5, 2, 2), translate=(3, 0, 0), units=units)
        viewer.add_image(blocks, scale=(250 if units[0] == "mm" else 0.25, 2, 2), units=("um",) * 3)
        controller = open_controller()
        controller.set_image(viewer.layers[0])
        planes = {}
        for step in range(viewer.dims.nsteps[0]):
            viewer.dims.set_current_step(0, step)
            if controller.plane is not None:
                planes[controller.plane] = step
        assert len(planes) > 3
        for place, step in planes.items():
            viewer.dims.set_current_step(0, step)
            click(*place.to_volume((10, 10)), layer=viewer.layers[0])
        jobs.waiting = None
        for place in reversed(planes):
            viewer.dims.set_point(0, viewer.dims.range[0].stop)
            controller.undo()
            assert controller.plane == place

    def test_a_deleted_layer_takes_its_steps_with_it(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        viewer.layers.remove(controller.target)
        controller.undo()
        assert points_of(viewer) == [[5, 10, 10]]
        controller.redo()
        assert points_of(viewer) == []

    def test_a_brush_stroke_is_a_step_like_any_other(
        self, controller: Controller, viewer: ViewerModel, jobs: PatientJobs, click: Click
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        layer = controller.target
        kept = layer.data.copy()
        layer.paint((5, 38, 40), 9)
        assert (layer.data == 9).any()
        controller.undo()
        np.testing.assert_array_equal(layer.data, kept)
        controller.redo()
        assert (layer.data == 9).any()
        layer.undo()
        layer.undo()
        controller.undo()
        controller.undo()
        controller.undo()

    def test_undo_of_labels_that_became_read_only_is_answered(
        self,
        controller: Controller,
        viewer: ViewerModel,
        jobs: PatientJobs,
        click: Click,
        said: list[str],
    ) -> None:
        click(5, 10, 10)
        jobs.work()
        controller.accept()
        kept = controller.target.data.copy()
        controller.target.data.flags.writeable = False
        controller.undo()
        assert "read-only" in said[0]
        np.testing.assert_array_equal(controller.target.data, kept)

    def test_other_edits_are_steps_too(self, controller: Controller, viewer: ViewerModel) -> None:
        labels = controller.labels.ready()
        step = None
        for k in range(3):
            edit = LabelEdit.of(labels.data, tuple(np.array([[k], [0], [0]])), 4)
            step = controller.labels.apply(edit, "propagation", into=step)
        assert (controller.target.data == 4).sum() == 3
        controller.undo()
        assert not controller.target.data.any()
