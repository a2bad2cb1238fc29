"""Nothing is replaced unasked, what is done is left out, what does not fit is refused first."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from tests.segment.conftest import click, clicks_file

from napari_piclick.segment.__main__ import main


@pytest.fixture
def command(image, tmp_path):
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    return [str(image), "--clicks", clicks]


@pytest.mark.parametrize("name", ["labels.nii.gz", "labels.png", "labels.csv"])
def test_an_output_that_is_there_is_kept_unless_told_otherwise(
    flood, command, tmp_path, name, capsys
):
    out = tmp_path / name
    precious = out.with_name("labels_003.png") if name == "labels.png" else out
    precious.write_text("precious")
    assert main([*command, "--output", str(out)]) == 2
    assert "there already" in capsys.readouterr().err
    assert precious.read_text() == "precious"
    assert flood.questions == []
    assert main([*command, "--output", str(out), "--force"]) == 0
    assert precious.read_bytes() != b"precious"


def test_slices_of_a_name_with_brackets_are_kept_too(flood, image, tmp_path, capsys):
    named = image.rename(tmp_path / "scan[1].nii.gz")
    out = tmp_path / "out"
    out.mkdir()
    precious = out / "scan[1]_labels_003.png"
    precious.write_text("precious")
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    command = [str(named), "--clicks", clicks, "--output", str(out), "--format", ".png"]
    assert main(command) == 2
    assert "there already" in capsys.readouterr().err
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("stopped", ["while writing", "while renaming"])
def test_half_of_the_slices_are_not_taken_for_all_of_them(
    flood, command, tmp_path, monkeypatch, stopped
):
    out = tmp_path / "out"
    out.mkdir()
    command += ["--output", str(out), "--format", ".png"]

    def fail(calls=count(1)):  # noqa: B008 - one count for all calls
        if next(calls) == 4:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        if stopped == "while writing":
            whole = Image.fromarray
            broken.setattr(Image, "fromarray", lambda array: fail() or whole(array))
        else:
            rename = Path.replace
            broken.setattr(Path, "replace", lambda *paths: fail() or rename(*paths))
        assert main(command) == 2
    assert not (out / "blocks_labels_000.png").exists()
    assert not list(out.glob(".*part*"))
    assert main([*command, "--resume"]) == 0
    assert len(list(out.glob("blocks_labels_???.png"))) == 50
    before = len(flood.questions)
    assert main([*command, "--resume"]) == 0
    assert len(flood.questions) == before


def test_clicks_are_not_written_over(flood, image, tmp_path, capsys):
    clicks = clicks_file(tmp_path / "c.json", click(10, 12, 5))
    before = (tmp_path / "c.json").read_bytes()
    assert main([str(image), "--clicks", clicks, "--output", clicks, "--force"]) == 2
    assert "would write over the clicks" in capsys.readouterr().err
    assert (tmp_path / "c.json").read_bytes() == before


def test_a_record_is_not_replaced_either(flood, command, tmp_path, capsys):
    (tmp_path / "record.json").write_text("precious")
    command += ["--output", str(tmp_path / "labels.nii"), "--record", str(tmp_path / "record.json")]
    assert main(command) == 2
    assert "record.json is there already" in capsys.readouterr().err


def test_what_was_stopped_goes_on_with_the_images_that_are_not_done(
    flood, image, tmp_path, blocks, capsys
):
    second = tmp_path / "second.nii.gz"
    shutil.copy(image, second)
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    out = tmp_path / "out"
    out.mkdir()
    (out / "blocks_labels.nii.gz").write_text("done")
    command = [str(image), str(second), "--clicks", clicks, "--output", str(out)]
    assert main(command) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert "1 of 2 images" in capsys.readouterr().out
    assert (out / "blocks_labels.nii.gz").read_text() == "done"
    assert nib.load(out / "second_labels.nii.gz").shape == (40, 50, 12)
    before = len(flood.questions)
    assert main([*command, "--resume"]) == 0
    assert len(flood.questions) == before


def test_a_failed_write_leaves_what_was_there(flood, command, tmp_path, monkeypatch, capsys):
    out = tmp_path / "labels.nii.gz"
    out.write_text("precious")

    def fail(image, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib, "save", fail)
    assert main([*command, "--output", str(out), "--force"]) == 2
    assert "No space left" in capsys.readouterr().err
    assert out.read_text() == "precious"
    assert not list(tmp_path.glob(".*part*"))


def test_clicks_for_each_image_and_every_format_in_a_folder(flood, image, tmp_path, blocks):
    second = tmp_path / "second.nii.gz"
    shutil.copy(image, second)
    files = [
        clicks_file(tmp_path / "one.json", click(10, 12, 5)),
        clicks_file(tmp_path / "two.json", click(30, 15, 2)),
    ]
    out = tmp_path / "out"
    command = [str(image), str(second), "--clicks", *files, "--output", str(out)]
    for kind in (".png", ".csv", ".mha"):
        assert main([*command, "--format", kind]) == 0
    assert {file.suffix for file in out.iterdir()} == {".png", ".csv", ".mha"}
    sizes = [(out / f"{name}_labels.csv").read_text() for name in ("blocks", "second")]
    assert sizes[0] != sizes[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--first", "3"], "--first is about --propagate"),
        (["--min-iou", "0.3"], "--min-iou is about --propagate"),
        (["--propagate", "--first", "5", "--last", "3"], "--first 5 lies behind --last 3"),
        (["--propagate", "--interpolate"], "exclude each other"),
        (["--propagate", "--first", "-1"], "'-1' is not a whole number from 0"),
        (["--propagate", "--min-iou", "7"], "'7' is not a number from 0 to 1"),
        (["--workers", "0"], "'0' is not a whole number above 0"),
        (["--workers", "2", "--scheduler", "tcp://x:1"], "--workers is for this machine"),
        (["--force", "--resume"], "choose one"),
        (["--format", ".tif"], "does not fit the output labels.nii.gz"),
        (["--channels", "x"], "'x' is not a whole number from 0"),
        (["--no-such"], "no-such"),
        (["--model", "no-such-model"], "no-such-model"),
        (["--device", "toaster"], "toaster"),
        (["--record", "clicks.json"], "would write over"),
        (["--record", "nowhere/record.json"], "no folder nowhere"),
    ],
)
def test_options_that_do_not_fit(command, tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    command = [*command, "--output", "labels.nii.gz", *arguments]
    try:
        code = main(command)
    except SystemExit as left:  # said by argparse
        code = left.code
    assert code == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said
    assert "\n" not in said
    assert not (tmp_path / "labels.nii.gz").exists()


def test_counts_and_folders_that_do_not_fit(flood, image, tmp_path, capsys):
    second = tmp_path / "second.nii.gz"
    shutil.copy(image, second)
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    two, out = [str(image), str(second)], str(tmp_path / "out")
    file = str(tmp_path / "labels.nii.gz")
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(image, other)
    for arguments, sentence in [
        ([*two, "--clicks", clicks, clicks, clicks, "--output", out], "2 images and 3 files"),
        ([str(image), "--clicks", clicks, clicks, "--output", file], "1 images and 2 files"),
        ([*two, "--clicks", clicks, "--output", file], "need a folder"),
        ([*two, "--clicks", clicks, "--output", str(image)], "need a folder"),
        ([str(image), str(other / image.name), "--clicks", clicks, "--output", out], "same name"),
        ([str(image), "--clicks", str(tmp_path / "no.json"), "--output", file], "cannot be read"),
        ([str(image), "--clicks", str(other), "--output", file], "blocks.json cannot be read"),
    ]:
        assert main(arguments) == 2
        assert sentence in capsys.readouterr().err
    assert flood.questions == []


def test_clicks_on_some_slices_and_their_outlines_between(flood, image, tmp_path, blocks):
    out = tmp_path / "labels.nii.gz"
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 2), click(10, 12, 8))
    command = [str(image), "--clicks", clicks, "--interpolate", "--output", str(out)]
    assert main(command) == 0
    labels = np.moveaxis(np.asarray(nib.load(out).dataobj), 2, 0)
    np.testing.assert_array_equal(labels, blocks == 60)
    assert len(flood.questions) == 2


def test_as_people_call_it(image, tmp_path):
    """The module itself, in another process, with an image that is not there."""
    clicks = clicks_file(tmp_path / "clicks.json", click(10, 12, 5))
    done = subprocess.run(
        [sys.executable, "-m", "napari_piclick.segment", str(tmp_path / "none.nii"), "--clicks",
         clicks, "--output", str(tmp_path / "out.nii")],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == f"There is no file {tmp_path / 'none.nii'}."


def test_a_dask_cluster_does_the_same(image, tmp_path, monkeypatch):
    """Workers with several threads, in another folder, with the real model."""
    distributed = pytest.importorskip("distributed")
    small = np.zeros((40, 44, 2), np.int16)
    small[12:28, 10:26] = 900
    nib.save(nib.Nifti1Image(small, np.eye(4)), tmp_path / "a.nii")
    nib.save(nib.Nifti1Image(small[::-1], np.eye(4)), tmp_path / "b.nii")
    clicks_file(tmp_path / "clicks.json", click(20, 18, 1))
    monkeypatch.chdir(tmp_path)
    command = ["a.nii", "b.nii", "--clicks", "clicks.json", "--device", "cpu", "--output"]
    assert main([*command, "here"]) == 0
    with (
        distributed.LocalCluster(
            1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        monkeypatch.context() as elsewhere,
    ):
        address = cluster.scheduler_address
        elsewhere.chdir(tmp_path)
        assert main([*command, "there", "--scheduler", address]) == 0
    for name in ("a_labels.nii", "b_labels.nii"):
        one, two = (np.asarray(nib.load(tmp_path / k / name).dataobj) for k in ("here", "there"))
        np.testing.assert_array_equal(one, two)
        assert one.any()
