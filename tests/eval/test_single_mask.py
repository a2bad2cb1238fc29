"""The plain baseline: SAM's own answer, from the starting weights."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_piclick.clicks import Click
from napari_piclick.eval import ModelSpec
from napari_piclick.eval.single_mask import load

DATA = Path(os.environ.get("PICLICK_DATA", Path(__file__).parents[3] / "shared" / "data"))
WEIGHTS = DATA.parent / "weights"


@pytest.fixture(scope="module")
def weights():
    file = WEIGHTS / "tinyvit5m-sam-fp16.safetensors"
    if not file.is_file():
        pytest.skip(f"needs the starting weights {file}")
    return file


def test_its_mask_is_that_of_sams_first_token(weights):
    with np.load(WEIGHTS / "reference_io.npz") as file:
        reference = {name: torch.from_numpy(file[name]) for name in file.files}
    predictor = load(weights, "cpu")
    points, signs = reference["points_xy"].flip(-1), reference["point_labels"]
    model = predictor._model
    deviation, mean = model.deviation, model.mean
    with torch.inference_mode():
        answer = model.decode(
            model.encode(reference["input_512"] * deviation + mean), points, signs
        )
    assert answer.masks.shape[1] == 1
    torch.testing.assert_close(answer.masks, reference["mask_logits"][:, :1], atol=1e-3, rtol=0)


def test_it_gives_one_mask_through_the_factory(weights):
    image = np.full((96, 128), 40, np.uint8)
    image[30:70, 40:90] = 200
    predictor = ModelSpec(
        "napari_piclick.eval.single_mask:load", "cpu", arguments=(str(weights),)
    )()
    predictor.set_image(image, contrast_limits=(0.0, 255.0))
    first = predictor.predict([Click(50, 65)])
    assert len(first) == 1
    assert first.confidence[0] == 1
    truth = image == 200
    mask = first.plane_mask()
    assert (mask & truth).sum() / (mask | truth).sum() > 0.9
    assert len(predictor.predict([Click(50, 65), Click(10, 10, False)], previous=first)) == 1


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file of weights"):
        load(tmp_path / "none.safetensors")
