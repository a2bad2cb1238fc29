"""The command line: clicks in the file's own order, outputs in its geometry, clear refusals."""

from __future__ import annotations

import csv
import importlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import tifffile
from PIL import Image
from tests.segment.conftest import AFFINE, click, clicks_file

from napari_piclick.io.geometry import Geometry
from napari_piclick.io.volumes import read_volumes, write_labels
from napari_piclick.segment import job, workers
from napari_piclick.segment.__main__ import main
from napari_piclick.session.stopping import Reason


def test_one_click_labels_its_object_through_the_volume(flood, image, tmp_path, blocks, capsys):
    out = tmp_path / "labels.nii.gz"
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    assert main([str(image), "--clicks", clicks, "--propagate", "--output", str(out)]) == 0
    written = nib.load(out)
    assert written.affine.tobytes() == nib.load(image).affine.tobytes()
    assert written.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(written.dataobj), np.moveaxis(blocks == 60, 0, 2))
    told = capsys.readouterr().out
    assert "blocks.nii.gz: object 1: 1680 voxels on 7 slices" in told
    assert f"stopped at slice 9: {Reason.AREA.value}" in told


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_any_axis_can_be_sliced(flood, image, tmp_path, blocks, axis):
    out = tmp_path / "labels.nii.gz"
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5), axis=axis)
    assert main([str(image), "--clicks", clicks, "--propagate", "--output", str(out)]) == 0
    labels = np.asarray(nib.load(out).dataobj)
    np.testing.assert_array_equal(labels, np.moveaxis(blocks == 60, 0, 2))


def test_without_propagation_only_clicked_slices_are_labelled(flood, image, tmp_path, blocks):
    out = tmp_path / "labels.nii"
    clicks = clicks_file(
        tmp_path / "clicks.json", click(10, 12, 5), click(30, 15, 2, label=7), click(10, 12, 3)
    )
    assert main([str(image), "--clicks", clicks, "--output", str(out)]) == 0
    labels = np.moveaxis(np.asarray(nib.load(out).dataobj), 2, 0)
    expected = np.zeros(blocks.shape, int)
    expected[[3, 5]] = (blocks == 60)[[3, 5]]
    expected[2][blocks[2] == 120] = 7
    np.testing.assert_array_equal(labels, expected)


def test_slices_at_the_rim_of_the_range_and_a_negative_click(flood, image, tmp_path, blocks):
    out = tmp_path / "labels.nii.gz"
    clicks = clicks_file(
        tmp_path / "clicks.json", click(10, 12, 5), click(18, 20, 5, positive=False)
    )
    command = [str(image), "--clicks", clicks, "--output", str(out), "--propagate"]
    assert main([*command, "--first", "4", "--last", "6"]) == 0
    labels = np.moveaxis(np.asarray(nib.load(out).dataobj), 2, 0)
    assert np.flatnonzero(labels.any(axis=(1, 2))).tolist() == [4, 5, 6]
    assert labels[5, 18, 20] == 0
    assert [len(question) for question in flood.questions[:2]] == [1, 2]


def test_an_object_takes_no_voxel_from_an_earlier_one(flood, image, tmp_path, blocks, capsys):
    out = tmp_path / "labels.nii.gz"
    clicks = clicks_file(
        tmp_path / "clicks.json", click(10, 12, 5, label=2), click(11, 12, 5, label=1)
    )
    assert main([str(image), "--clicks", clicks, "--output", str(out)]) == 0
    assert np.unique(np.asarray(nib.load(out).dataobj)).tolist() == [0, 2]
    assert "object 1: 0 voxels on 1 slices, 240 left to other objects" in capsys.readouterr().out


def test_flat_images_and_time_series(flood, tmp_path, blocks):
    flat = tmp_path / "flat.tif"
    tifffile.imwrite(flat, blocks[5])
    clicks = clicks_file(tmp_path / "flat.json", click(10, 12))
    out = tmp_path / "flat_out.tif"
    assert main([str(flat), "--clicks", clicks, "--output", str(out)]) == 0
    np.testing.assert_array_equal(tifffile.imread(out), blocks[5] == 60)

    series = tmp_path / "series.nii.gz"
    film = np.stack([np.moveaxis(blocks, 0, 2)] * 3, axis=3)
    nib.save(nib.Nifti1Image(film, np.eye(4)), series)
    clicks = clicks_file(tmp_path / "series.json", click(10, 12, 5, 1), axis=3)
    out = tmp_path / "series_out.nii.gz"
    assert main([str(series), "--clicks", clicks, "--propagate", "--output", str(out)]) == 0
    labels = np.asarray(nib.load(out).dataobj)
    for frame in range(3):
        np.testing.assert_array_equal(labels[:, :, 5, frame], blocks[5] == 60)
    assert not labels[:, :, 4].any()


def test_channels_of_a_4d_file_in_grey_and_in_colour(flood, tmp_path, blocks, capsys):
    path, out = tmp_path / "modalities.nii.gz", tmp_path / "labels.nii.gz"
    blocks[:, 37:, :20] = 20  # something darker than the object, that is not ground
    block = np.moveaxis(blocks, 0, 2)
    modalities = np.stack([np.zeros_like(block), block, block // 2], axis=3)
    nib.save(nib.Nifti1Image(modalities, AFFINE), path)
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    command = [str(path), "--clicks", clicks, "--propagate", "--output", str(out), "--force"]
    for channels in (["1"], ["1", "2"], ["0", "1", "2"]):
        assert main([*command, "--channels", *channels]) == 0
        np.testing.assert_array_equal(np.asarray(nib.load(out).dataobj), block == 60)
        assert flood.images[-1].ndim == (2 if len(channels) == 1 else 3)
    assert nib.load(out).affine.tobytes() == nib.load(path).affine.tobytes()
    capsys.readouterr()
    for channels, sentence in ((["3"], "channels 0 to 2"), (["0", "1", "2", "1"], "no more")):
        assert main([*command, "--channels", *channels]) == 2
        assert sentence in capsys.readouterr().err


def test_every_output_holds_the_same_object(flood, image, tmp_path, blocks):
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    expected = blocks == 60
    for name in ("l.nii.gz", "l.nii", "l.nrrd", "l.mha", "l.tif", "l.csv", "l.json", "l.png"):
        command = [str(image), "--clicks", clicks, "--propagate", "--output", str(tmp_path / name)]
        assert main(command) == 0
    for name in ("l.nii.gz", "l.nii"):
        labels = np.asarray(nib.load(tmp_path / name).dataobj)
        np.testing.assert_array_equal(labels, np.moveaxis(expected, 0, 2))
    for name in ("l.nrrd", "l.mha"):
        labels = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / name)))
        np.testing.assert_array_equal(labels.transpose(), np.moveaxis(expected, 0, 2))
    # Tables, pictures and TIFF have the axes of the layer: the file's (y, x, z) lie on x, z, y.
    shown = read_volumes(image)[0].geometry.to_layer(np.moveaxis(expected, 0, 2))
    pictures = [np.asarray(Image.open(file)) for file in sorted(tmp_path.glob("l_*.png"))]
    np.testing.assert_array_equal(pictures, shown)
    table = next(csv.DictReader((tmp_path / "l.csv").read_text().splitlines()))
    assert float(table["volume_mm3"]) == pytest.approx(1680 * 1.5 * 0.5 * 0.75)
    annotations = json.loads((tmp_path / "l.json").read_text())["annotations"]
    assert sum(annotation["area"] for annotation in annotations) == 1680
    assert tifffile.imread(tmp_path / "l.tif").sum() == 1680


def test_several_images_and_what_is_recorded_repeats_them(flood, image, tmp_path, blocks, capsys):
    second = tmp_path / "second.tif"
    write_labels(second, blocks, Geometry.plain((2, 1, 1), "um"))
    clicks = tmp_path / "clicks"
    clicks.mkdir()
    clicks_file(clicks / "blocks.json", click(10, 12, 5))
    clicks_file(clicks / "second.json", click(5, 10, 12), axis=0)
    out, record = tmp_path / "out", tmp_path / "record"
    command = [str(image), str(second), "--propagate", "--output", str(out)]
    assert main([*command, "--clicks", str(clicks), "--record", str(record)]) == 0
    assert sorted(p.name for p in out.iterdir()) == ["blocks_labels.nii.gz", "second_labels.tif"]
    np.testing.assert_array_equal(tifffile.imread(out / "second_labels.tif"), blocks == 60)
    recorded = json.loads((record / "second.json").read_text())
    assert recorded["model"] == "flood"
    assert recorded["clicks"] == [click(5, 10, 12)]
    first = (out / "second_labels.tif").read_bytes()
    assert main([*command, "--clicks", str(record), "--force"]) == 0
    assert (out / "second_labels.tif").read_bytes() == first

    # One that fails does not keep the others from their outputs.
    (clicks / "blocks.json").unlink()
    (out / "second_labels.tif").unlink()
    capsys.readouterr()
    assert main([*command, "--clicks", str(clicks), "--force"]) == 2
    assert (out / "second_labels.tif").exists()
    assert "blocks.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "not JSON"),
        ("[]", "of the form"),
        ('{"clicks": []}', "no click"),
        ('{"clicks": [{"index": [1, "b", 3]}]}', 'Click 1 in .* needs an "index"'),
        ('{"clicks": [{"index": [1, 2, 3], "positive": 1}]}', "true or false"),
        ('{"clicks": [{"index": [1, 2, 3], "object": 0}]}', "whole number from 1"),
        ('{"axis": "z", "clicks": [{"index": [1, 2, 3]}]}', "axis in .* must be"),
        ('{"axis": 3, "clicks": [{"index": [1, 2, 3]}]}', "axes 0 to 2, but not 3"),
        ('{"axis": 2, "clicks": [{"index": [1, 2]}]}', "one index for each axis"),
        ('{"axis": 2, "clicks": [{"index": [1, 2, 12]}]}', "lies outside the image"),
        ('{"clicks": [{"index": [1, 2, 3], "positive": false}]}', "no positive click"),
        ('{"clicks": [{"index": [1, 2, NaN]}]}', 'needs an "index"'),
        ('{"clicks": [{"index": [1, 2, 1e400]}]}', 'needs an "index"'),
        ('{"clicks": [{"index": [1, 2, 3], "proposal": -1}]}', "whole number from 0"),
    ],
)
def test_clicks_that_cannot_be_used(flood, image, tmp_path, capsys, content, sentence):
    clicks, out = tmp_path / "clicks.json", tmp_path / "labels.nii.gz"
    clicks.write_text(content)
    assert main([str(image), "--clicks", str(clicks), "--output", str(out)]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert re.search(sentence, said)
    assert not out.exists()


def test_what_cannot_be_done_is_refused_first(flood, image, tmp_path, capsys):
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    for output, sentence in [
        (tmp_path / "no" / "labels.nii", "no folder"),
        (tmp_path / "labels.xyz", "choose one of"),
        (image, "is the image itself"),
    ]:
        assert main([str(image), "--clicks", clicks, "--output", str(output)]) == 2
        assert sentence in capsys.readouterr().err
    assert flood.questions == []
    missing = str(tmp_path / "none.nii")
    out = str(tmp_path / "labels.nii")
    assert main([missing, "--clicks", clicks, "--output", out]) == 2
    assert "There is no file" in capsys.readouterr().err


def test_images_of_one_name_are_not_taken_for_one_another(flood, tmp_path):
    """A worker keeps its predictor, and that what it has seen, from one image to the next."""
    keys = []
    for place in ("one", "other"):
        (tmp_path / place).mkdir()
        path = tmp_path / place / "photo.tif"
        tifffile.imwrite(path, np.full((20, 24, 3), 60, np.uint8), photometric="rgb")
        clicks = Path(clicks_file(tmp_path / "clicks.json", click(10, 12)))
        done = job.do(job.Job(path, clicks, tmp_path / place / "labels.png"))
        assert not done.error
        keys.append(set(flood.keys))
        flood.keys.clear()
    assert all(keys)
    assert not keys[0] & keys[1]


def test_what_nobody_thought_of_does_not_stop_the_images_behind(
    flood, image, tmp_path, monkeypatch, capsys
):
    second = tmp_path / "second.nii.gz"
    shutil.copy(image, second)
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    read = job.read_volumes

    def fail(path):
        return read(path) if path == second else {}[path.name]

    monkeypatch.setattr(job, "read_volumes", fail)
    command = [str(image), str(second), "--clicks", clicks, "--output", str(tmp_path / "out")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert f"{image} could not be segmented: 'blocks.nii.gz'." in said
    assert (tmp_path / "out" / "second_labels.nii.gz").exists()


def test_one_that_kills_its_worker_does_not_take_the_others_with_it(tmp_path, monkeypatch):
    (tmp_path / "deadly_job.py").write_text(
        "import os\n"
        "from napari_piclick.segment.job import Done\n"
        "def do(job, progress=None):\n"
        "    if job.image.name == 'deadly':\n"
        "        os._exit(9)\n"
        "    return Done(job.image, ('done',))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(workers, "do", importlib.import_module("deadly_job").do)
    names = ["deadly", "one", "two", "three"]
    jobs = [job.Job(Path(name), Path("clicks.json"), Path("out.nii")) for name in names]
    ends = {done.image.name: (done.lines, done.error) for done in workers.run_jobs(jobs, 2)}
    del sys.modules["deadly_job"]
    died = "The worker for deadly died, perhaps for want of memory."
    assert ends == {"deadly": ((), died)} | dict.fromkeys(names[1:], (("done",), ""))


def test_workers_and_the_real_model(tmp_path):
    """Two processes, each with the model that comes with the package."""
    volume = np.zeros((48, 48, 2), np.int16)
    rows, cols = np.ogrid[:48, :48]
    volume[(rows - 24) ** 2 + (cols - 20) ** 2 < 100] = 900
    volume += np.random.default_rng(0).integers(0, 60, volume.shape, np.int16)
    for name in ("a", "b"):
        nib.save(nib.Nifti1Image(volume, AFFINE), tmp_path / f"{name}.nii")
    clicks = clicks_file(tmp_path / "clicks.json", click(24, 20, 1))
    command = [*(str(tmp_path / f"{name}.nii") for name in "ab"), "--clicks", clicks, "--propagate"]
    command += ["--output", str(tmp_path / "out"), "--workers", "2", "--device", "cpu"]
    assert main(command) == 0
    results = [np.asarray(nib.load(tmp_path / "out" / f"{k}_labels.nii").dataobj) for k in "ab"]
    np.testing.assert_array_equal(*results)
    assert results[0][24, 20, 1] == 1
    assert set(np.unique(results[0])) <= {0, 1}
