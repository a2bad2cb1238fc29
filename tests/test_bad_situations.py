"""Twenty bad situations: each is answered with one sentence, and nothing is lost.

1 layer deleted mid-question, 2 image deleted mid-question, 3 read-only labels, 4 labels of another
size, 5 lazy labels, 6 disk full on autosave, 7 disk full on the journal, 8 corrupt journal, 9 3D
display, 10 image of NaN, 11 empty proposal, 12 objects have all pixels, 13 click outside, 14 no
image, 15 nothing to keep, 16 model fails, 17 labels replaced by others of another size, 18 saved
session of another image, 19 damaged saved session, 20 no object where one is picked, 21 folder to
save in is gone, 22 slider beyond the image.
"""

from __future__ import annotations

import errno
import io
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.notifications import notification_manager
from tests._napari.conftest import PatientJobs, click_at
from tests.conftest import FloodPredictor

from napari_piclick._napari.controller import Controller
from napari_piclick.session import journal as journal_module
from napari_piclick.session.engine import Engine
from napari_piclick.session.saved_session import SUFFIX, SavedSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Desk:
    """A viewer with one finished object on slice 5 and one click on the next."""

    def __init__(self, folder: Path, blocks: np.ndarray) -> None:
        self.viewer = ViewerModel()
        self.image = self.viewer.add_image(blocks, name="blocks")
        self.viewer.dims.set_current_step(0, 5)
        self.predictor = FloodPredictor()
        self.jobs = PatientJobs(Engine(lambda: self.predictor))
        self.controller = Controller(self.viewer, self.jobs, folder)
        self.said: list[str] = []
        self.click(5, 10, 10)
        self.jobs.work()
        self.controller.accept()
        self.kept = self.controller.target.data.copy()
        self.click(5, 30, 12)

    def click(self, *voxel: float) -> None:
        self.controller.start()
        click_at(self.viewer, np.array(self.image.data_to_world(voxel)))

    def objects_are_safe(self) -> None:
        np.testing.assert_array_equal(self.controller.target.data, self.kept)

    def click_is_safe(self) -> None:
        clicks = [draft.clicks for _, draft in self.controller.session.ledger.drafts]
        assert [len(made) for made in clicks] == [1]

    def one_sentence(self, part: str) -> None:
        assert len(self.said) == 1, self.said
        assert part in self.said[0]
        assert self.said[0].endswith((".", ")"))
        assert "Error" not in self.said[0]
        self.said.clear()


@pytest.fixture
def desk(tmp_path: Path, blocks: np.ndarray) -> Iterator[Desk]:
    desk = Desk(tmp_path, blocks)
    hear = lambda notification: desk.said.append(notification.message)  # noqa: E731
    notification_manager.notification_ready.connect(hear)
    yield desk
    notification_manager.notification_ready.disconnect(hear)
    desk.controller.close()


def test_01_the_layer_of_clicks_is_deleted_mid_question(desk: Desk) -> None:
    desk.viewer.layers.remove("PiClick clicks")
    desk.jobs.work()
    assert not desk.said, "nothing went wrong"
    desk.objects_are_safe()
    desk.click_is_safe()


def test_02_the_image_is_deleted_mid_question(desk: Desk) -> None:
    late, labels = desk.jobs.waiting, desk.controller.target
    desk.viewer.layers.remove(desk.image)
    desk.jobs.answer(*late)
    desk.controller.accept()
    desk.one_sentence("no image")
    np.testing.assert_array_equal(labels.data, desk.kept)


def test_03_the_labels_are_read_only(desk: Desk) -> None:
    desk.jobs.work()
    desk.controller.target.data.flags.writeable = False
    desk.controller.accept()
    desk.one_sentence("read-only")
    desk.controller.undo()  # of the click, which needs no labels
    desk.controller.undo()
    desk.one_sentence("read-only")
    desk.objects_are_safe()
    desk.controller.redo()
    desk.click_is_safe()


@pytest.mark.parametrize(
    ("labels", "part"),
    [
        (np.zeros((3, 3, 3), np.uint8), "choose labels of the same size"),
        (da.zeros((12, 40, 50), dtype=np.uint8), "cannot be written"),
    ],
    ids=["04 of another size", "05 lazy"],
)
def test_labels_that_cannot_be_used(desk: Desk, labels: object, part: str) -> None:
    desk.controller.labels.set_target(Labels(labels))
    desk.one_sentence(part)
    desk.objects_are_safe()
    desk.click_is_safe()


def test_06_the_disk_is_full_on_autosave(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    saver = desk.controller.saver
    saver.autosave()
    next(iter(saver.writing.values())).result(30)
    (good,) = tmp_path.glob("*.piclick")
    before = good.read_bytes()
    desk.jobs.work()
    desk.controller.accept()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("napari_piclick.session.saved_session.zipfile.ZipFile.writestr", full)
    saver.autosave()
    with pytest.raises(ValueError, match="No space"):
        next(iter(saver.writing.values())).result(30)
    saver.autosave()
    desk.one_sentence("No space left on device")
    assert good.read_bytes() == before, "the older one is still whole"
    monkeypatch.undo()
    next(iter(saver.writing.values())).exception(30)
    saver.autosave()
    saver.autosave()
    desk.said.clear()


def test_07_the_disk_is_full_on_the_journal(desk: Desk) -> None:
    journal = next(iter(desk.controller.keeper._journals.values()))

    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    journal._file = Full()
    desk.jobs.work()
    desk.controller.accept()
    desk.one_sentence("Save your labels often")
    desk.click(5, 10, 40)
    assert not desk.said, "it is said once"
    assert (desk.controller.target.data == 2).any(), "work goes on"


def test_08_the_journal_is_corrupt(desk: Desk, tmp_path: Path, blocks: np.ndarray) -> None:
    (path,) = tmp_path.glob("*.jsonl")
    pid = f'"pid":{os.getpid()}'
    lines = path.read_text().replace(pid, '"pid":0').splitlines(keepends=True)
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "1.jsonl").write_text("".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2] + "\n")
    (folder / "2.jsonl").write_text("nonsense")
    viewer = ViewerModel()
    viewer.add_image(blocks, name="blocks")
    controller = Controller(viewer, PatientJobs(desk.jobs.engine), folder)
    assert controller.keeper.offer == folder / "1.jsonl"
    controller.keeper.recover()
    desk.one_sentence("Recovered 1 objects")
    np.testing.assert_array_equal(controller.target.data, desk.kept)
    assert controller.keeper.offer is None
    controller.close()


def test_09_the_viewer_shows_volumes(desk: Desk) -> None:
    desk.viewer.dims.ndisplay = 3
    desk.controller.accept()
    desk.one_sentence("switch the viewer from 3D to 2D")
    desk.objects_are_safe()
    desk.click_is_safe()


def test_10_the_image_is_not_a_number(desk: Desk) -> None:
    viewer = ViewerModel()
    viewer.add_image(np.full((40, 50), np.nan, np.float32), contrast_limits=(0, 1))
    jobs = PatientJobs(Engine.named("piclick-tiny"))
    controller = Controller(viewer, jobs)
    click_at(viewer, np.array([5.0, 5.0]))
    jobs.work()
    assert not desk.said, "it is a black picture to the model"
    assert np.isfinite(controller.session.proposals.masks).all()
    assert len(controller.session.clicks) == 1
    controller.close()


def test_11_the_proposal_is_empty(desk: Desk) -> None:
    prompt, source = desk.jobs.waiting
    answer = desk.predictor
    answer.set_image(source.pixels)
    proposals = answer.predict(prompt.clicks)
    desk.controller.session.receive(
        prompt.answered_by("flood", ""), replace(proposals, masks=np.zeros_like(proposals.masks))
    )
    desk.controller.accept()
    desk.one_sentence("This proposal is empty")
    desk.objects_are_safe()
    desk.click_is_safe()


def test_12_other_objects_have_all_pixels(desk: Desk) -> None:
    desk.controller.cancel()
    desk.click(5, 12, 12)
    desk.jobs.work()
    desk.controller.accept()
    desk.one_sentence("Other objects have all of these pixels")
    desk.objects_are_safe()


def test_13_a_click_outside(desk: Desk) -> None:
    desk.click(5, -10, 10)
    desk.one_sentence("outside the image")
    desk.click_is_safe()


def test_14_no_image(desk: Desk) -> None:
    controller = Controller(ViewerModel(), PatientJobs(desk.jobs.engine))
    for request in (controller.start, controller.accept, controller.labels.reopen_under_cursor):
        request()
        desk.one_sentence("There is no image")
    controller.undo()
    controller.redo()
    assert not desk.said


def test_15_nothing_to_keep(desk: Desk) -> None:
    desk.controller.cancel()
    desk.controller.accept()
    desk.one_sentence("click on an object first")
    desk.objects_are_safe()


def test_16_the_model_fails(desk: Desk) -> None:
    desk.predictor.error = ValueError("The weights do not fit this model: download them again.")
    desk.jobs.work()
    desk.one_sentence("download them again")
    desk.click_is_safe()
    desk.objects_are_safe()


def test_17_the_labels_are_replaced_by_others_of_another_size(desk: Desk) -> None:
    layer = desk.controller.target
    layer.data = np.zeros((2, 3, 4), np.uint8)
    assert desk.controller.target is None
    desk.controller.undo()
    desk.controller.undo()
    desk.controller.redo()
    assert not desk.said
    assert layer.data.shape == (2, 3, 4)


@pytest.fixture
def saved(desk: Desk, tmp_path: Path) -> Path:
    path = tmp_path / "mine.piclick"
    assert desk.controller.saver.save(path)
    return path


def test_18_a_saved_session_of_another_image(desk: Desk, saved: Path) -> None:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((20, 30)))
    controller = Controller(viewer, PatientJobs(desk.jobs.engine))
    assert not controller.saver.open(saved)
    desk.one_sentence("another size")
    assert controller.target is None


@pytest.mark.parametrize("damage", [lambda data: data[:300], lambda _: b"", lambda _: b"hello"])
def test_19_a_damaged_saved_session(
    desk: Desk, saved: Path, damage: Callable[[bytes], bytes]
) -> None:
    saved.write_bytes(damage(saved.read_bytes()))
    assert not desk.controller.saver.open(saved)
    desk.one_sentence("damaged")
    desk.objects_are_safe()
    desk.click_is_safe()


def test_20_there_is_no_object_where_one_is_picked(desk: Desk) -> None:
    desk.controller.labels.reopen_at((5, 38, 48))
    desk.one_sentence("no object there")
    desk.click_is_safe()


def test_21_the_folder_to_save_in_is_gone(desk: Desk, tmp_path: Path) -> None:
    assert not desk.controller.saver.save(tmp_path / "gone" / "mine.piclick")
    desk.one_sentence("no folder")
    desk.objects_are_safe()


def test_22_the_slider_is_beyond_the_image(desk: Desk) -> None:
    desk.viewer.add_labels(np.zeros((30, 4, 4), np.uint8))
    desk.viewer.dims.set_current_step(0, 25)
    desk.controller.accept()
    desk.one_sentence("move it back")
    desk.objects_are_safe()
    desk.click_is_safe()


def test_a_saved_session_is_gone_on_with(
    desk: Desk, saved: Path, blocks: np.ndarray, tmp_path: Path
) -> None:
    viewer = ViewerModel()
    viewer.add_image(blocks, name="again")
    controller = Controller(viewer, PatientJobs(desk.jobs.engine), tmp_path / "journals")
    assert controller.saver.open(saved)
    np.testing.assert_array_equal(controller.target.data, desk.kept)
    assert controller.session.objects.records[1].clicks == 1
    controller.undo()  # the voxels and what is known about them, at once
    assert not controller.target.data.any()
    assert not controller.session.can_undo
    controller.redo()
    np.testing.assert_array_equal(controller.target.data, desk.kept)
    assert controller.session.objects.records[1].clicks == 1
    controller.labels.jump(1)
    controller.labels.reopen(1)
    assert controller.session.draft.start.any()
    again = SavedSession.open(saved)
    assert again.image.name == "blocks"
    making = next(iter(again.records[1].makings.values()))
    assert (making.model, making.weights_hash) == ("flood", "0" * 64)
    controller.close()
    assert saved.suffix == SUFFIX
    assert journal_module.VERSION == 1
