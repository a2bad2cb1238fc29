"""What was saved in the window, repeated without one: the same voxels."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from tests.segment.conftest import click, clicks_file

from napari_piclick import Session
from napari_piclick.io.volumes import read_volumes
from napari_piclick.plane import Plane
from napari_piclick.segment import job
from napari_piclick.segment.__main__ import main
from napari_piclick.segment.clicks_file import ClicksFile, VolumeClick
from napari_piclick.session.image_identity import ImageIdentity
from napari_piclick.session.place import Place
from napari_piclick.session.saved_session import SavedSession


@pytest.fixture
def shown(image):
    """The image as its layer has it, with the axes in the window's order."""
    (volume,) = read_volumes(image)
    return np.asarray(volume.geometry.to_layer(volume.data))


def place(shown, displayed, index):
    return Place("image", Plane(shown.shape, displayed, (index,)))


def save(session, labels, shown, path, name="blocks"):
    records = dict(session.ledger.records(session.labels))
    SavedSession(ImageIdentity.of(name, shown), labels, records).save(path)


@pytest.fixture
def work(predictor, shown, tmp_path):
    """Two objects, a choice, a refined mask, and planes in two directions."""
    labels = np.zeros(shown.shape, np.uint16)
    session = Session(predictor, labels=labels)

    def go_to(displayed, index):
        where = place(shown, displayed, index)
        session.set_image(where.plane.cut(shown), key=where)

    # the blocks lie as (y, x, z) in the file, and as (x, y, z) in the layer
    go_to((1, 2), 12)
    session.click(10, 5)
    session.choose(2)
    session.accept()
    go_to((0, 2), 30)
    session.click(15, 2)
    session.accept()
    go_to((1, 2), 12)
    session.objects.reopen(1)
    session.click(12, 6, positive=False)
    session.accept()
    path = tmp_path / "work.piclick"
    save(session, labels, shown, path)
    return path, labels


def test_every_click_and_choice_is_repeated(flood, image, work, tmp_path):
    path, labels = work
    assert len(np.unique(labels)) == 3
    out = tmp_path / "again.nii.gz"
    assert main([str(image), "--clicks", str(path), "--output", str(out)]) == 0
    (volume,) = read_volumes(out)
    np.testing.assert_array_equal(volume.geometry.to_layer(np.asarray(volume.data)), labels)


def test_choices_of_another_model_are_repeated_with_a_warning(
    flood, image, shown, tmp_path, capsys
):
    path, labels = tmp_path / "chosen.piclick", np.zeros(shown.shape, np.uint16)
    session = Session(flood, labels=labels)
    where = place(shown, (1, 2), 12)
    session.set_image(where.plane.cut(shown), key=where)
    session.click(10, 5)
    session.choose(2)
    session.accept()
    save(session, labels, shown, path)
    command = [str(image), "--force", "--output", str(tmp_path / "again.nii"), "--clicks"]
    assert main([*command, str(path)]) == 0
    assert "chosen" not in capsys.readouterr().err
    flood.name = "flood:thorough"
    assert main([*command, str(path)]) == 0
    assert "from those of flood, not flood:thorough, where" in capsys.readouterr().err
    flood.name, flood.weights_hash = "flood", "1" * 64
    assert main([*command, str(path)]) == 0
    assert "from those of other weights of flood, where" in capsys.readouterr().err

    clicks, record = tmp_path / "clicks.json", tmp_path / "record.json"
    clicks_file(clicks, {**click(10, 12, 5), "proposal": 2})
    assert main([*command, str(clicks), "--record", str(record)]) == 0
    assert "chosen" not in capsys.readouterr().err, "written by hand, for whatever model"
    assert main([*command, str(record)]) == 0
    assert "chosen" not in capsys.readouterr().err
    flood.weights_hash = "2" * 64
    assert main([*command, str(record)]) == 0
    assert "other weights of flood" in capsys.readouterr().err
    clicks_file(clicks, click(10, 12, 5))
    assert main([*command, str(clicks), "--record", str(record)]) == 0
    flood.weights_hash = "3" * 64
    assert main([*command, str(record)]) == 0
    assert "chosen" not in capsys.readouterr().err, "nothing was chosen"


def test_sessions_for_several_images_lie_in_a_folder(flood, image, work, tmp_path):
    path, labels = work
    folder, out = tmp_path / "sessions", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    path.rename(folder / "blocks.autosave.piclick")
    assert main([str(image), "--clicks", str(folder), "--output", str(out)]) == 0
    written = np.asarray(nib.load(out / "blocks_labels.nii.gz").dataobj)
    assert [(written == k).sum() for k in (1, 2)] == [(labels == k).sum() for k in (1, 2)]


def test_what_the_window_saved_unasked_is_found_by_the_name_of_the_image(
    flood, image, work, tmp_path, capsys
):
    path, labels = work
    folder, out = tmp_path / "sessions", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    path.rename(folder / f"{image.name}.cells.autosave.piclick")
    (folder / f"{image.name}.cells.autosave.old.piclick").write_bytes(b"of another day")
    command = [str(image), "--clicks", str(folder), "--output", str(out)]
    assert main(command) == 0
    written = np.asarray(nib.load(out / "blocks_labels.nii.gz").dataobj)
    assert [(written == k).sum() for k in (1, 2)] == [(labels == k).sum() for k in (1, 2)]
    (folder / f"{image.name}.nuclei.autosave.piclick").write_bytes(b"")
    assert main([*command, "--force"]) == 2
    assert "Several labels layers" in capsys.readouterr().err


def test_choices_can_be_written_by_hand_and_are_recorded(flood, image, tmp_path):
    clicks, record = tmp_path / "clicks.json", tmp_path / "record.json"
    chosen = {**click(10, 12, 5), "proposal": 2}
    clicks_file(clicks, chosen)
    command = [str(image), "--clicks", str(clicks), "--output"]
    assert main([*command, str(tmp_path / "a.nii"), "--record", str(record)]) == 0
    assert json.loads(record.read_text())["clicks"] == [chosen]
    clicks_file(clicks, click(10, 12, 5))
    assert main([*command, str(tmp_path / "b.nii")]) == 0
    one, other = (np.asarray(nib.load(tmp_path / f"{k}.nii").dataobj) for k in "ab")
    assert one.any()
    assert not np.array_equal(one, other)


def test_labels_of_every_direction_have_room(flood, image, blocks, tmp_path, monkeypatch):
    given = [
        ClicksFile((VolumeClick((10, 12, 5), object=1),), axis=2),
        ClicksFile((VolumeClick((30, 15, 2), object=300),), axis=0),
    ]
    monkeypatch.setattr(job, "read_prompts", lambda *_: given)
    out = tmp_path / "labels.nii.gz"
    assert main([str(image), "--clicks", str(tmp_path / "w.piclick"), "--output", str(out)]) == 0
    assert np.unique(np.asarray(nib.load(out).dataobj)).tolist() == [0, 1, 300]


def test_what_cannot_be_repeated_is_said(flood, image, work, shown, tmp_path, capsys):
    path, labels = work
    command = [str(image), "--output", str(tmp_path / "labels.nii"), "--clicks"]
    assert main([*command, str(path), "--record", str(tmp_path / "r.json")]) == 2
    assert "leave out --record" in capsys.readouterr().err
    damaged = tmp_path / "damaged.piclick"
    damaged.write_bytes(path.read_bytes()[:900])
    assert main([*command, str(damaged)]) == 2
    assert "not a saved PiClick session, or it is damaged" in capsys.readouterr().err
    other = tmp_path / "other.piclick"
    SavedSession(ImageIdentity.of("flat", shown[0]), labels[0]).save(other)
    assert main([*command, str(other)]) == 2
    assert "give the image it belongs to" in capsys.readouterr().err
    SavedSession(ImageIdentity.of("blocks", shown), labels).save(other)
    assert main([*command, str(other)]) == 2
    assert "There is no click" in capsys.readouterr().err
    saved = SavedSession.open(path, "image")
    SavedSession(ImageIdentity.of("head", shown), labels, saved.records).save(other)
    assert main([*command, str(other)]) == 0
    assert "an image that was called head" in capsys.readouterr().err
