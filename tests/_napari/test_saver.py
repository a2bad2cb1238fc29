"""What is saved, by hand and unasked: nothing that was saved before is lost by it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers._source import layer_source
from tests._napari.conftest import PatientJobs, click_at

from napari_piclick._napari import saver as saver_module
from napari_piclick._napari.controller import Controller
from napari_piclick.session import LabelEdit
from napari_piclick.session.image_identity import ImageIdentity
from napari_piclick.session.journal import Journal
from napari_piclick.session.label_map import ArrayLabels
from napari_piclick.session.record import Record
from napari_piclick.session.recovery import read_journal
from napari_piclick.session.saved_session import SavedSession

if TYPE_CHECKING:
    from pathlib import Path

    from napari.layers import Image

Keep = Callable[..., None]
#: A voxel of each of the blocks.
FIRST, SECOND = (5, 10, 10), (5, 30, 12)


@pytest.fixture
def cells(tmp_path: Path, blocks: np.ndarray) -> Path:
    """An image file in a folder of its own."""
    path = tmp_path / "data" / "cells.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, blocks)
    return path


@pytest.fixture
def open_file(jobs: PatientJobs, tmp_path: Path) -> Callable[[Path], Controller]:
    """What opening a file in a new window does."""

    def open_file(path: Path) -> Controller:
        viewer = ViewerModel()
        with layer_source(path=str(path)):
            viewer.add_image(tifffile.imread(path), name=path.stem)
        viewer.dims.set_current_step(0, 5)
        return Controller(viewer, jobs, tmp_path / "journals")

    return open_file


@pytest.fixture
def keep(jobs: PatientJobs) -> Keep:
    def keep(controller: Controller, *voxels: tuple[int, ...]) -> None:
        image: Image = controller.image
        for voxel in voxels:
            controller.start()
            click_at(controller._viewer, np.array(image.data_to_world(voxel)))
            jobs.work()
            controller.accept()

    return keep


def autosave(controller: Controller) -> None:
    """Save unasked, and wait until it is done."""
    controller.saver.autosave()
    for writing in controller.saver.writing.values():
        writing.result(30)


def saved_in(folder: Path) -> list[list[int]]:
    """The ids of the objects in each saved file of a folder."""
    files = (path for path in sorted(folder.iterdir()) if "piclick" in path.name)
    return [np.unique(SavedSession.open(path).labels)[1:].tolist() for path in files]


def test_what_another_day_left_is_kept(
    open_file: Callable[[Path], Controller], keep: Keep, cells: Path
) -> None:
    for _ in range(2):
        first = open_file(cells)
        keep(first, FIRST, SECOND)
        autosave(first)
        first.close()
    second = open_file(cells)
    keep(second, FIRST)
    autosave(second)
    assert sorted(saved_in(cells.parent)) == [[1], [1, 2], [1, 2]]
    keep(second, SECOND)
    autosave(second)
    assert sorted(saved_in(cells.parent)) == [[1, 2]] * 3, "its own file is replaced"
    second.close()


def test_each_labels_layer_has_a_file_and_all_that_is_new_is_saved(
    open_file: Callable[[Path], Controller], keep: Keep, cells: Path, blocks: np.ndarray
) -> None:
    controller = open_file(cells)
    nuclei = controller._viewer.add_labels(np.zeros(blocks.shape, np.uint8), name="nuclei")
    controller.labels.set_target(nuclei)
    keep(controller, FIRST, SECOND)
    controller.labels.set_target(None)
    keep(controller, FIRST)
    autosave(controller)
    assert sorted(saved_in(cells.parent)) == [[1], [1, 2]]
    assert (cells.parent / "cells.tif.nuclei.autosave.piclick").exists()
    controller.close()


def test_beside_an_image_in_a_folder_that_takes_no_file_it_is_saved_among_the_journals(
    open_file: Callable[[Path], Controller],
    keep: Keep,
    cells: Path,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: path != cells.parent)
    controller = open_file(cells)
    keep(controller, FIRST)
    autosave(controller)
    controller.saver.autosave()
    assert saved_in(cells.parent) == []
    assert saved_in(controller.keeper.folder) == [[1]]
    assert said == []
    controller.close()


def test_classes_alone_are_saved(
    open_file: Callable[[Path], Controller], keep: Keep, cells: Path
) -> None:
    controller = open_file(cells)
    keep(controller, FIRST)
    autosave(controller)
    controller.labels.classify(1, "mitosis")
    autosave(controller)
    (path,) = cells.parent.glob("*.piclick")
    assert SavedSession.open(path).records[1].kind == "mitosis"
    controller.close()


def test_images_of_similar_names_and_layers_of_similar_names_share_no_file(
    open_file: Callable[[Path], Controller], keep: Keep, cells: Path, blocks: np.ndarray
) -> None:
    paths = []
    for name in ("exp.pos1.tif", "exp.pos2.tif", "exp.pos1.tiff"):
        tifffile.imwrite(cells.with_name(name), blocks)
        controller = open_file(cells.with_name(name))
        for layer in ("a/b", "a:b", "A b"):
            labels = controller._viewer.add_labels(np.zeros(blocks.shape, np.uint8), name=layer)
            controller.labels.set_target(labels)
            keep(controller, FIRST)
            paths.append(controller.saver.autosave_path(controller.labels.destination.target))
        controller.close()
    assert len({str(path).lower() for path in paths}) == 9
    assert {path.parent for path in paths} == {cells.parent}


def test_a_layer_of_the_name_of_one_that_was_deleted_leaves_its_file_alone(
    open_file: Callable[[Path], Controller], keep: Keep, cells: Path
) -> None:
    controller = open_file(cells)
    keep(controller, FIRST, SECOND)
    autosave(controller)
    controller._viewer.layers.remove(controller.target)
    autosave(controller)
    assert saved_in(cells.parent) == [[1, 2]]
    keep(controller, FIRST)
    autosave(controller)
    assert sorted(saved_in(cells.parent)) == [[1], [1, 2]]
    controller.close()


def test_it_is_said_once_that_labels_are_too_large(
    open_file: Callable[[Path], Controller],
    keep: Keep,
    cells: Path,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(saver_module, "LARGEST_AUTOSAVE", 1000)
    controller = open_file(cells)
    keep(controller, FIRST)
    autosave(controller)
    autosave(controller)
    (sentence,) = said
    assert "cells objects" in sentence
    assert "Save…" in sentence
    assert saved_in(cells.parent) == []
    controller.close()


def test_an_autosaved_file_is_opened_under_the_name_that_its_labels_had(
    open_file: Callable[[Path], Controller], keep: Keep, cells: Path
) -> None:
    first = open_file(cells)
    keep(first, FIRST, SECOND)
    first.target.name = "nuclei"
    autosave(first)
    first.close()
    second = open_file(cells)
    assert second.saver.open(cells.with_name("cells.tif.nuclei.autosave.piclick"))
    assert second.target.name == "nuclei"
    keep(second, (5, 12, 35))
    autosave(second)
    assert second.saver.open(cells.with_name("cells.tif.nuclei.autosave.old.piclick"))
    assert second.target.name.startswith("nuclei")
    assert sorted(saved_in(cells.parent)) == [[1, 2], [1, 2, 3]]
    second.close()


def test_an_image_that_is_given_other_data_is_saved_and_journaled_as_it_is_now(
    open_file: Callable[[Path], Controller], keep: Keep, cells: Path, blocks: np.ndarray
) -> None:
    controller, path = open_file(cells), cells.with_name("mine.piclick")
    keep(controller, FIRST)
    controller.image.data = blocks[:, :20]
    keep(controller, FIRST)
    assert controller.saver.save(path)
    assert SavedSession.open(path).image.shape == (12, 20, 50)
    assert controller.saver.open(path)
    assert controller.target.data.shape == (12, 20, 50)
    journals = controller.keeper.folder.glob("*.jsonl")
    found = [read_journal(journal, "image") for journal in journals]
    for journal in found:
        assert {labels.shape for labels in journal.labels.values()} == {journal.image.shape}
    assert {journal.image.shape for journal in found} == {(12, 40, 50), (12, 20, 50)}
    autosave(controller)
    assert saved_in(cells.parent) == [[1]] * 3, "of the first size, what was opened, and mine"
    controller.close()


def test_a_journal_of_which_something_was_left_out_is_not_put_away(
    open_file: Callable[[Path], Controller], cells: Path, blocks: np.ndarray, said: list[str]
) -> None:
    folder = cells.parent.parent / "journals"
    program = {"pid": 0, "started": 0.0}
    identity = ImageIdentity.of("cells", blocks)
    journal = Journal(folder / "1.jsonl", identity, program, lambda _: "cells", said.append)
    maps = [ArrayLabels(np.zeros(shape, np.uint8)) for shape in ((12, 20, 50), blocks.shape)]
    for labels in maps:
        voxels = tuple(np.array([k]) for k in FIRST)
        journal.edit(labels, LabelEdit.of(labels.data, voxels, np.array([1])))
        journal.record(labels, 1, Record())
    journal._file.close()
    controller = open_file(cells)
    assert controller.keeper.offer == journal.path
    controller.keeper.recover()
    (sentence,) = said
    assert sentence.startswith("Recovered 1 objects and 0 clicks")
    assert str(journal.path) in sentence
    assert journal.path.exists()
    assert controller.keeper.offer is None, "what could be recovered was"
    controller.close()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes all labels large ones."""
    monkeypatch.setattr(saver_module, "LARGE", 1000)


def test_large_labels_are_saved_as_they_were_while_work_goes_on(
    open_file: Callable[[Path], Controller],
    keep: Keep,
    cells: Path,
    jobs: PatientJobs,
    large: None,
    said: list[str],
) -> None:
    controller, path = open_file(cells), cells.with_name("mine.piclick")
    keep(controller, FIRST)
    busy = []
    controller.changed.connect(lambda: busy.append(controller.saver.busy))
    gate = threading.Event()
    controller.saver._thread.submit(gate.wait, 30)
    assert controller.saver.save(path)
    assert not controller.saver.save(path)
    assert "still being saved" in said.pop()
    assert not controller.saver.open(path)
    assert "still being saved" in said.pop()
    keep(controller, SECOND)
    assert not path.exists()
    gate.set()
    jobs.streams[-1].work()
    assert np.unique(SavedSession.open(path).labels).tolist() == [0, 1]
    assert busy[0]
    assert not busy[-1]
    autosave(controller)
    assert sorted(saved_in(cells.parent)) == [[1], [1, 2]], "the second is new since then"
    controller.saver.save(cells.parent / "gone" / "mine.piclick")
    jobs.streams[-1].work()
    assert "no folder" in said.pop()
    assert controller.saver.save(path)
    controller.close()


def test_large_labels_are_opened_while_work_goes_on(
    open_file: Callable[[Path], Controller],
    keep: Keep,
    cells: Path,
    jobs: PatientJobs,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    controller, path = open_file(cells), cells.with_name("mine.piclick")
    keep(controller, FIRST, SECOND)
    assert controller.saver.save(path)
    monkeypatch.setattr(saver_module, "LARGE", 1000)
    before = controller.target
    assert controller.saver.open(path)
    assert controller.saver.busy == "Opening"
    assert controller.target is before, "nothing happens before it is read"
    jobs.streams[-1].work()
    assert not controller.saver.busy
    assert controller.target.name == "mine"
    assert np.unique(controller.target.data).tolist() == [0, 1, 2]

    path.write_bytes(b"not a ZIP archive")
    assert controller.saver.open(path)
    jobs.streams[-1].work()
    assert "not a saved PiClick session" in said.pop()
    assert not controller.saver.busy
    controller.close()


def test_labels_that_were_read_are_not_put_on_an_image_selected_meanwhile(
    open_file: Callable[[Path], Controller],
    keep: Keep,
    cells: Path,
    blocks: np.ndarray,
    jobs: PatientJobs,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    controller, path = open_file(cells), cells.with_name("mine.piclick")
    keep(controller, FIRST)
    assert controller.saver.save(path)
    monkeypatch.setattr(saver_module, "LARGE", 1000)
    assert controller.saver.open(path)
    other = controller._viewer.add_image(blocks.copy(), name="other")
    controller.set_image(other)
    layers = list(controller._viewer.layers)
    jobs.streams[-1].work()
    assert "another image was selected meanwhile" in said.pop()
    assert list(controller._viewer.layers) == layers
    controller.close()


def test_without_memory_large_labels_are_saved_at_once_or_it_is_said(
    open_file: Callable[[Path], Controller],
    keep: Keep,
    cells: Path,
    large: None,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    controller, path = open_file(cells), cells.with_name("mine.piclick")
    keep(controller, FIRST)
    monkeypatch.setattr(saver_module, "_copied", full)
    assert controller.saver.save(path)
    assert saved_in(cells.parent) == [[1]]
    keep(controller, SECOND)
    autosave(controller)
    assert "not enough memory" in said.pop()
    monkeypatch.setattr("napari_piclick.session.saved_session.tifffile.imwrite", full)
    assert not controller.saver.save(path)
    assert "not enough memory" in said.pop()
    assert saved_in(cells.parent) == [[1]], "the older one is still whole"
    controller.close()
