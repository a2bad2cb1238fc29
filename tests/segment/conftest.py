"""A file with the blocks, clicks on it, and a predictor whose answers are known."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_piclick.segment import job

AFFINE = np.array([[0, 0, 1.5, 3], [-0.5, 0, 0, 4], [0, 0.75, 0, 5], [0, 0, 0, 1]])


@pytest.fixture
def flood(predictor, monkeypatch):
    """The command line with a predictor whose answers are known."""
    monkeypatch.setattr(job, "_predictor", lambda *_: predictor)
    return predictor


@pytest.fixture
def image(tmp_path, blocks):
    """A NIfTI file with the blocks in the order (y, x, z) of its own array."""
    path = tmp_path / "blocks.nii.gz"
    nib.save(nib.Nifti1Image(np.moveaxis(blocks, 0, 2).copy(), AFFINE), path)
    return path


def clicks_file(path, *clicks, axis=2):
    content = {"axis": axis, "clicks": list(clicks)}
    path.write_text(json.dumps(content))
    return str(path)


def click(*index, positive=True, label=1):
    return {"index": list(index), "positive": positive, "object": label}
