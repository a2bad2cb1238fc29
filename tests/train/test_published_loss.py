"""The loss of the published network against the authors' own numbers."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_piclick.models.authors_checkpoint import build, read_authors_checkpoint
from napari_piclick.models.piclick_head import PredictionSet
from napari_piclick.train.losses import mask_iou
from napari_piclick.train.published_loss import PARTS, published_loss
from napari_piclick.train.recipe import RECIPES

#: The authors' names of the parts.
NAMES = ("loss_cls", "loss_mask", "loss_dice", "loss_rank", "loss_onehot")


@pytest.fixture
def reference() -> Path:
    shared = Path(os.environ.get("PICLICK_SHARED", Path(__file__).parents[3] / "shared"))
    if not (shared / "reference").is_dir():
        pytest.skip("the reference files are not here")
    return shared / "reference"


def test_one_batch_agrees_with_the_authors_training(reference: Path) -> None:
    with np.load(reference / "loss_tiny_random.npz") as file:
        want = {key: file[key] for key in file.files}
    model = build(*read_authors_checkpoint(reference / "piclick_tiny_random.pth"))
    model.requires_grad_(True)
    sets = model.all_sets(torch.from_numpy(want["x"]), torch.from_numpy(want["points"]))
    targets = [torch.from_numpy(want[f"feas{b}"]).float() for b in range(2)]
    total, parts, matches = published_loss(sets, targets, torch.from_numpy(want["primary"]).float())
    assert float(total.detach()) == pytest.approx(float(want["total"]), abs=1e-3)
    components = json.loads(str(want["components"]))
    for k, row in enumerate(parts):
        prefix = "" if k == len(sets) - 1 else f"d{k}."
        for name, value in zip(NAMES, row, strict=True):
            assert float(value) == pytest.approx(components[prefix + name], abs=2e-4), prefix + name
    for b, (queries, matched) in enumerate(matches):
        assigned = np.zeros(7, int)
        assigned[queries] = matched + 1
        assert assigned.tolist() == want["matched_gt_1based"][b].tolist()
    total.backward()
    norms = json.loads(str(want["grad_norms"]))
    found = {n: float(p.grad.norm()) for n, p in model.named_parameters() if p.grad is not None}
    assert found.keys() == norms.keys()
    for name, norm in norms.items():
        assert found[name] == pytest.approx(norm, rel=1e-2, abs=1e-4), name


def test_a_perfect_answer_costs_nearly_nothing_and_a_wrong_one_more() -> None:
    target = torch.zeros(1, 32, 32)
    target[:, 8:20, 8:20] = 1
    exact = torch.full((1, 3, 8, 8), -20.0)
    exact[:, 1, 2:5, 2:5] = 20.0

    def of(best: int) -> torch.Tensor:
        objects = torch.tensor([[[-9.0, 9.0]] * 3])
        objects[0, best] = torch.tensor([9.0, -9.0])
        full = torch.nn.functional.interpolate(exact, (32, 32), mode="bilinear", align_corners=True)
        truth = mask_iou(full[0], target[0])
        iou = truth.clamp(1e-4, 1 - 1e-4).logit()[None]
        onehot = torch.where(torch.arange(3) == best, 4.0, 0.0)[None]
        return published_loss([PredictionSet(objects, exact, iou, onehot)], [target], target)[1][0]

    right, wrong = of(1), of(2)
    confidence, iou, onehot = (PARTS.index(name) for name in ("confidence", "iou", "onehot"))
    assert right[confidence] < 1e-6 < wrong[confidence]
    assert right[iou] < 1e-4
    assert right[onehot] < wrong[onehot]


def test_the_recipe_weighs_the_parts() -> None:
    torch.manual_seed(0)
    sets = [
        PredictionSet(
            torch.randn(1, 3, 2), torch.randn(1, 3, 8, 8), torch.randn(1, 3), torch.randn(1, 3)
        )
    ]
    target = (torch.rand(1, 32, 32) > 0.5).float()
    code = RECIPES["code"]
    once = published_loss(sets, [target], target, code)[1][0]
    twice = published_loss(sets, [target], target, replace(code, iou=2 * code.iou))[1][0]
    torch.testing.assert_close(twice[3], 2 * once[3])
    torch.testing.assert_close(twice[:3], once[:3])
