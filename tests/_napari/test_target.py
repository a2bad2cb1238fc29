from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_piclick._napari import empty_labels as empty_labels_module
from napari_piclick._napari import target as target_module
from napari_piclick._napari.empty_labels import empty_labels
from napari_piclick._napari.placement import lies_on
from napari_piclick._napari.target import Target, TargetError, check_target, new_target
from napari_piclick.plane import Plane
from napari_piclick.region import Region
from napari_piclick.session.label_edit import LabelEdit
from napari_piclick.session.label_map import ArrayLabels
from napari_piclick.session.write_object import write_object

if TYPE_CHECKING:
    from napari_piclick.session.accepted import Written

SHAPE = (4, 20, 30)
PLANE = Plane(SHAPE, (1, 2), (2,))
REGION = Region(5, 10, 5, 12)
MASK = np.ones(REGION.shape, bool)


@pytest.fixture
def labels() -> Labels:
    layer = Labels(np.zeros(SHAPE, np.uint8))
    ViewerModel().add_layer(layer)
    return layer


def test_a_new_target_lies_on_the_image_and_knows_what_it_knows() -> None:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    image = Image(
        np.zeros(SHAPE),
        name="T1",
        scale=(3, 1, 2),
        translate=(4, 5, 6),
        rotate=30,
        shear=(0.1, 0, 0),
        affine=affine,
        units=("mm", "mm", "mm"),
        axis_labels=("z", "y", "x"),
        metadata={"affine": affine},
    )
    layer = new_target(image, SHAPE)
    assert layer.data.dtype == np.uint16
    assert layer.data.shape == SHAPE
    for voxel in ((0, 0, 0), (3, 19, 29), (1, 7, 2)):
        np.testing.assert_allclose(layer.data_to_world(voxel), image.data_to_world(voxel))
    for name in ("scale", "translate", "rotate", "shear"):
        np.testing.assert_allclose(getattr(layer, name), getattr(image, name))
    np.testing.assert_allclose(layer.affine.affine_matrix, image.affine.affine_matrix)
    assert (layer.units, layer.axis_labels) == (image.units, image.axis_labels)
    np.testing.assert_array_equal(layer.metadata["affine"], affine)
    layer.metadata["new"] = 1
    assert "new" not in image.metadata


@pytest.mark.parametrize(
    ("scale", "translate", "units", "there"),
    [
        ((3, 1, 2), (4, 5, 6), ("mm", "mm", "mm"), True),
        ((3000, 1000, 2000), (4000, 5000, 6000), ("um", "um", "um"), True),
        ((3, 1000, 2), (4, 5000, 6), ("mm", "um", "mm"), True),
        ((3, 1, 2), (4, 5, 6), ("um", "um", "um"), False),
        ((3, 1, 2), (4, 5, 6), ("pixel", "pixel", "pixel"), True),
        ((3, 1, 2.1), (4, 5, 6), ("mm", "mm", "mm"), False),
    ],
)
def test_a_layer_lies_on_an_image_whatever_the_units_of_both(
    scale: tuple[float, ...], translate: tuple[float, ...], units: tuple[str, ...], there: bool
) -> None:
    image = Image(np.zeros(SHAPE), scale=(3, 1, 2), translate=(4, 5, 6), units=("mm",) * 3)
    layer = Labels(np.zeros(SHAPE, np.uint8), scale=scale, translate=translate, units=units)
    assert lies_on(layer, image) is there


@pytest.mark.parametrize("large", [2**26, 0])
def test_labels_larger_than_memory_are_kept_in_a_file_full_of_holes(
    monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    def refuse(*_: object, **__: object) -> np.ndarray:
        raise MemoryError if large else OSError(errno.ENOMEM, "no memory")

    monkeypatch.setattr(empty_labels_module, "LARGE", large)
    monkeypatch.setattr(empty_labels_module.np, "zeros", refuse)
    monkeypatch.setattr(empty_labels_module, "_small_pages", refuse)
    data = empty_labels((5, 6))
    monkeypatch.undo()
    assert isinstance(data, np.memmap)
    assert (data == 0).all()
    data[2, 3] = 7
    assert data.sum() == 7


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")
def test_large_labels_take_memory_only_where_something_is_written() -> None:
    def held() -> float:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.split("RssAnon:")[1].split()[0]) / 1024

    data = empty_labels((64, 1024, 1024))
    before = held()
    assert not data.any()
    data[:, 500:540, 500:540] = 3
    assert held() - before < 16  # of 128 MB
    assert data.dtype == np.uint16
    assert int(data.sum(dtype=np.int64)) == 3 * 64 * 1600
    layer = Labels(data)
    check_target(layer, data.shape)
    Target(layer).write((np.array([1]), np.array([2]), np.array([3])), np.array([7]))
    assert data[1, 2, 3] == 7


def test_ids_painted_by_hand_are_seen(labels: Labels) -> None:
    target = Target(labels)
    labels.data_setitem((np.array([1]), np.array([1]), np.array([1])), 9)
    assert target.next_label == 10


def test_ids_in_labels_too_large_to_search_are_followed(
    labels: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_module, "SEARCHED", 0)
    target = Target(labels, empty=True)
    assert target.next_label == 1
    with labels.block_history():
        labels.data_setitem((np.array([1]), np.array([1]), np.array([1])), 9)
    assert target.next_label == 10
    labels.paint((1, 3, 3), 12)
    assert target.next_label == 13
    edit = LabelEdit.of(labels.data, (np.array([0]), np.array([0]), np.array([0])), 15)
    edit.apply(target)
    assert target.next_label == 16
    labels.data = np.full(SHAPE, 20, np.uint8)
    assert target.next_label == 21
    target.close()


class TestBrush:
    """What somebody else changes is told as an edit, whichever of napari's tools made it."""

    @pytest.fixture
    def heard(self, labels: Labels) -> list[LabelEdit]:
        labels.data[1, 3:8, 3:8] = 4
        edits: list[LabelEdit] = []
        self.target = Target(labels)
        self.target.painted.connect(edits.append)
        self.before = labels.data.copy()
        return edits

    def check(self, labels: Labels, heard: list[LabelEdit]) -> None:
        assert len(heard) == 1
        after = labels.data.copy()
        assert not np.array_equal(after, self.before)
        assert len(heard[0]) == (after != self.before).sum()
        heard[0].revert(self.target)
        np.testing.assert_array_equal(labels.data, self.before)

    def test_brush(self, labels: Labels, heard: list[LabelEdit]) -> None:
        labels.brush_size = 5
        labels.paint((1, 5, 8), 7)
        self.check(labels, heard)

    def test_brush_over_a_whole_box(self, labels: Labels, heard: list[LabelEdit]) -> None:
        labels.brush_size = 1
        labels.paint((1, 5, 8), 7)
        self.check(labels, heard)

    def test_stroke(self, labels: Labels, heard: list[LabelEdit]) -> None:
        labels.brush_size = 5
        with labels.block_history():
            for column in range(3, 15, 2):
                labels.paint((1, 5, column), 7)
        self.check(labels, heard)

    def test_eraser_and_bucket(self, labels: Labels, heard: list[LabelEdit]) -> None:
        labels.fill((1, 4, 4), 0)
        self.check(labels, heard)

    def test_polygon(self, labels: Labels, heard: list[LabelEdit]) -> None:
        labels.paint_polygon([[1, 2, 2], [1, 2, 12], [1, 15, 12]], 6)
        self.check(labels, heard)

    def test_several_at_once(self, labels: Labels, heard: list[LabelEdit]) -> None:
        voxels = (np.array([0, 1, 0]), np.array([3, 3, 4]), np.array([3, 3, 3]))
        labels.data_setitem(voxels, np.array([1, 2, 3]))
        self.check(labels, heard)

    def test_what_we_write_is_no_brush(self, labels: Labels, heard: list[LabelEdit]) -> None:
        LabelEdit.of(labels.data, (np.array([0]), np.array([0]), np.array([0])), 3).apply(
            self.target
        )
        assert heard == []

    def test_a_stroke_still_being_made_when_we_write(
        self, labels: Labels, heard: list[LabelEdit]
    ) -> None:
        with labels.block_history():
            labels.paint((1, 5, 10), 7)
            corner = (np.array([0]), np.array([0]), np.array([0]))
            LabelEdit.of(labels.data, corner, 3).apply(self.target)
        assert len(heard) == 1
        assert (heard[0].after == 7).all()


class TestNaparisOwnUndo:
    """napari does not tell what its undo changes; what it changed is told all the same."""

    @pytest.fixture
    def heard(self, labels: Labels) -> list[LabelEdit]:
        labels.data[1, 3:8, 3:8] = 4
        edits: list[LabelEdit] = []
        self.target = Target(labels)
        self.known = labels.data.copy()
        self.target.painted.connect(edits.append)
        self.target.painted.connect(lambda edit: edit.apply(ArrayLabels(self.known)))
        return edits

    def write(self, labels: Labels, value: int, *places: tuple[int, int, int]) -> None:
        """Write as we do ourselves, which is not told."""
        voxels = tuple(np.array(places).T)
        edit = LabelEdit.of(labels.data, voxels, value)
        edit.apply(self.target)
        edit.apply(ArrayLabels(self.known))

    def undo(self, labels: Labels) -> None:
        labels.undo()
        np.testing.assert_array_equal(self.known, labels.data)

    def redo(self, labels: Labels) -> None:
        labels.redo()
        np.testing.assert_array_equal(self.known, labels.data)

    def test_of_strokes_and_of_our_own_writes_on_any_slice(
        self, labels: Labels, heard: list[LabelEdit]
    ) -> None:
        before = [labels.data.copy()]
        labels.brush_size = 5
        with labels.block_history():
            for column in range(3, 15, 2):
                labels.paint((1, 5, column), 7)
        before.append(labels.data.copy())
        self.write(labels, 9, (3, 1, 1), (3, 1, 2), (1, 5, 5))
        before.append(labels.data.copy())
        labels.fill((1, 4, 4), 0)
        before.append(labels.data.copy())
        heard.clear()
        for state in reversed(before[:-1]):
            self.undo(labels)
            np.testing.assert_array_equal(labels.data, state)
        assert len(heard) == 3
        for state in before[1:]:
            self.redo(labels)
            np.testing.assert_array_equal(labels.data, state)
        assert len(heard) == 6
        self.undo(labels)
        labels.paint((2, 9, 9), 3)
        self.redo(labels)  # there is nothing to do again any more
        assert len(heard) == 8

    def test_what_we_take_back_ourselves_is_not_taken_for_it(
        self, labels: Labels, heard: list[LabelEdit]
    ) -> None:
        labels.paint((2, 9, 9), 3)
        heard[0].revert(self.target)
        heard[0].revert(ArrayLabels(self.known))
        labels.refresh()
        assert len(heard) == 1
        self.undo(labels)
        assert len(heard) == 2

    def test_while_the_layer_is_hidden_it_is_told_once_it_shows(
        self, labels: Labels, heard: list[LabelEdit]
    ) -> None:
        labels.paint((2, 15, 15), 3)
        labels.paint((2, 2, 2), 5)
        labels.visible = False
        labels.undo()
        labels.undo()
        assert len(heard) == 2
        labels.visible = True
        assert len(heard) == 4
        np.testing.assert_array_equal(self.known, labels.data)

    def test_a_stroke_that_wipes_the_one_before_is_told_once(
        self, labels: Labels, heard: list[LabelEdit]
    ) -> None:
        labels.paint((2, 9, 9), 3)
        with labels.block_history():
            labels.paint((2, 9, 9), 0)
            labels.refresh()
        np.testing.assert_array_equal(self.known, labels.data)
        assert len(heard) == 2

    @pytest.mark.parametrize("dtype", [np.uint8, np.int32])
    def test_other_data_are_one_change_and_have_no_past(
        self, labels: Labels, heard: list[LabelEdit], dtype: type
    ) -> None:
        labels.paint((2, 9, 9), 3)
        before = labels.data
        labels.data = np.zeros(SHAPE, dtype)
        labels.refresh()
        assert len(heard) == 2
        assert (heard[1].before.dtype, heard[1].after.dtype) == (np.uint8, dtype)
        assert not self.known.any()
        heard[1].revert(self.target)
        np.testing.assert_array_equal(labels.data, before)
        assert labels.data.dtype == np.uint8


def object_in(labels: Labels, **how: object) -> tuple[LabelEdit, Written]:
    target = Target(labels)
    edit, written = write_object(target, PLANE, REGION, MASK, **how)
    edit.apply(target)
    return edit, written


def test_undo_of_the_layer_gives_the_labels_back_bit_for_bit(labels: Labels) -> None:
    labels.data[2, 5:7] = 3
    before = labels.data.copy()
    object_in(labels, overwrite=True)
    assert not np.array_equal(labels.data, before)
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)


@pytest.mark.parametrize("visible", [True, False])
def test_a_type_that_is_too_small_is_replaced(labels: Labels, visible: bool) -> None:
    labels.data[0, 0, 0] = 255
    before = labels.data.copy()
    labels.visible = visible
    edit, written = object_in(labels)
    assert written.label == 256
    assert labels.data.dtype == np.uint16
    assert labels.data[0, 0, 0] == 255
    assert (labels.data == 256).sum() == MASK.sum()
    edit.revert(Target(labels))
    assert labels.data.dtype == np.uint8
    np.testing.assert_array_equal(labels.data, before)


def test_labels_that_became_read_only_are_refused(labels: Labels) -> None:
    target = Target(labels)
    edit, _ = write_object(target, PLANE, REGION, MASK)
    labels.data.flags.writeable = False
    with pytest.raises(TargetError, match="read-only"):
        edit.apply(target)


def read_only() -> Labels:
    data = np.zeros(SHAPE, np.uint8)
    data.flags.writeable = False
    return Labels(data)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Labels(da.zeros(SHAPE, dtype=np.uint8)), "cannot be written"),
        (
            lambda: Labels([np.zeros(SHAPE, np.uint8), np.zeros((2, 10, 15), np.uint8)]),
            "cannot be written",
        ),
        (read_only, "cannot be written"),
        (lambda: Labels(np.zeros((4, 20, 31), np.uint8)), "4 × 20 × 31 pixels"),
    ],
    ids=["lazy", "multiscale", "read-only", "other size"],
)
def test_labels_that_cannot_take_objects_are_refused(make: object, sentence: str) -> None:
    with pytest.raises(TargetError, match=sentence):
        check_target(make(), SHAPE)


def test_labels_on_disk_can_be_written(tmp_path: Path) -> None:
    data = np.memmap(tmp_path / "labels.raw", np.uint16, "w+", shape=SHAPE)
    layer = Labels(data)
    ViewerModel().add_layer(layer)
    check_target(layer, SHAPE)
    object_in(layer)
    assert (data == 1).sum() == MASK.sum()
