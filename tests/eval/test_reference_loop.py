"""The whole evaluation against the authors' program, click by click."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_piclick.eval import ClickProtocol, Dataset, Sample, evaluate
from napari_piclick.models.authors_checkpoint import build, read_authors_checkpoint
from napari_piclick.predict.compat import CompatPredictor
from napari_piclick.predict.full_pass import FullPass

DATA = Path(os.environ.get("PICLICK_DATA", Path(__file__).parents[3] / "shared" / "data"))
REFERENCE = DATA.parent / "reference"

#: Of the 20 that the authors' program gave; no object is finished earlier.
CLICKS = 6


class Pictures(Dataset):
    """The pictures that the authors' program was run on, one object each."""

    name = "synth"
    folder = REFERENCE

    def __init__(self, arrays):
        self.arrays = arrays

    def images(self):
        return sorted(name for name in self.arrays if name.startswith("image"))

    def samples(self, image_stem):
        truth = self.arrays[image_stem.replace("image", "gt")]
        yield Sample(image_stem, "1", self.arrays[image_stem], truth == 1)


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "pick"), [("gtpick", "oracle"), ("maxscore", "code")])
def test_it_goes_as_the_authors_evaluation_goes(mode, pick):
    if not REFERENCE.is_dir():
        pytest.skip(f"needs the reference vectors in {REFERENCE}")
    expected = json.loads((REFERENCE / "eval_loop.json").read_text())[f"tiny_trained|synth|{mode}"]
    with np.load(REFERENCE / "eval_synth_samples.npz") as file:
        dataset = Pictures(dict(file))
    model = build(*read_authors_checkpoint(REFERENCE / "piclick_tiny_trained.pth"))
    run = FullPass(model, "tiny", torch.device("cpu"), exact=True, fast=False)
    protocol = ClickProtocol(pick=pick, compat="published", max_clicks=CLICKS)
    results = evaluate(dataset, CompatPredictor(run, "tiny", "0" * 64), protocol)
    for found, wanted in zip(results.objects, expected["samples"], strict=True):
        steps = wanted[:CLICKS]
        clicks = [[click.positive, click.row, click.col] for click in found.clicks]
        assert clicks == [step["click"] for step in steps]
        if mode == "gtpick":
            assert list(found.picked) == [step["picked"] for step in steps]
        np.testing.assert_allclose(found.ious, [step["iou"] for step in steps], atol=3e-3)
        assert found.threshold == 0.49
    summary = results.summary()
    means = [summary[f"miou@{k}"] for k in range(1, CLICKS + 1)]
    np.testing.assert_allclose(means, expected["mIoU_at"][:CLICKS], atol=3e-3)
