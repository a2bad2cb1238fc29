"""Each example runs, and leaves what it says."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_piclick.session.saved_session import SavedSession

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


@pytest.mark.parametrize("name", ["segment_picture.py", "refine_labels.py"])
def test_flat(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path, name: str
) -> None:
    output = tmp_path / "objects.tif"
    run(monkeypatch, name, "--output", output)
    labels = tifffile.imread(output)
    assert labels.shape == (520, 696)
    assert len(np.unique(labels)) > 1
    assert str(output) in capsys.readouterr().out


def test_a_volume_is_followed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    image, output = tmp_path / "ball.tif", tmp_path / "labels.tif"
    z, y, x = np.mgrid[:8, :64, :64]
    ball = 40 + 160 * ((z - 4) ** 2 * 9 + (y - 30) ** 2 + (x - 34) ** 2 < 200)
    noise = np.random.default_rng(0).integers(0, 20, ball.shape)
    tifffile.imwrite(image, (ball + noise).astype(np.uint8))
    run(monkeypatch, "label_a_volume.py", image, 4, 30, 34, "--axis", 0, "--output", output)
    labels = tifffile.imread(output)
    assert labels.shape == ball.shape
    assert labels[4, 30, 34] == 1
    assert labels.any(axis=(1, 2)).sum() > 1, "the object is on more slices than the clicked one"
    assert "Stopped at slice" in capsys.readouterr().out


def test_mri(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import nibabel as nib

    output = tmp_path / "labels.nii.gz"
    run(monkeypatch, "label_mri.py", "--output", output)
    labels = nib.load(output)
    sample = EXAMPLES.parent / "src" / "napari_piclick" / "_napari" / "sample_data"
    np.testing.assert_array_equal(labels.affine, nib.load(sample / "brain.nii.gz").affine)
    assert (np.asarray(labels.dataobj) == 1).any()


def test_stack_and_batch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    saved, again = tmp_path / "neurons.piclick", tmp_path / "again.tif"
    run(monkeypatch, "label_em_stack.py", "--output", saved)
    session = SavedSession.open(saved)
    assert sorted(session.records) == [1, 2]
    assert session.records[1].clicks == 2
    capsys.readouterr()
    run(monkeypatch, "repeat_prompts.py", saved, "--output", again)
    assert "Object 2: 2 clicks" in capsys.readouterr().out
    np.testing.assert_array_equal(tifffile.imread(again), session.labels)
