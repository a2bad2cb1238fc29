"""Algorithm 1, piece by piece: clicks, feasible targets, matching, losses."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from napari_piclick.models.mask_decoder import MaskPrediction
from napari_piclick.train.click_simulation import initial_click, negative_click, next_click
from napari_piclick.train.losses import (
    dice,
    expected_regret,
    focal,
    mask_iou,
    pairwise_dice,
    pairwise_focal,
    prompt_loss,
)
from napari_piclick.train.matching import feasible_targets, match, match_all
from napari_piclick.train.recipe import RECIPES, Recipe
from napari_piclick.train.rough_mask import roughen


def _square(shape: tuple[int, int], row: int, col: int, side: int) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[row : row + side, col : col + side] = True
    return mask


@settings(max_examples=40, deadline=None)
@example(0, 0.0, 117)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.integers(1, 300))
def test_clicks_fall_on_the_error_they_mend(seed: int, spread: float, side: int) -> None:
    rng = np.random.default_rng(seed)
    target = _square((400, 420), 20, 30, side)
    predicted = _square((400, 420), 60, 40, 150)
    assert target[initial_click(target, rng, spread).pixel]
    outside = negative_click(target, rng)
    assert outside is not None
    assert not target[outside.pixel]
    click = next_click(target, predicted, rng, spread)
    if (target == predicted).all():
        assert click is None
    else:
        assert click is not None
        assert target[click.pixel] == click.positive != predicted[click.pixel]


def test_a_full_spread_is_the_deepest_point_of_the_larger_error() -> None:
    target, predicted = _square((100, 100), 10, 10, 41), _square((100, 100), 70, 70, 9)
    click = next_click(target, predicted, np.random.default_rng(0), 1.0)
    assert click is not None
    assert click.positive
    assert click.pixel == (30, 30)
    assert distance_transform_edt(target)[click.pixel] == 21
    assert next_click(target, target, np.random.default_rng(0)) is None


def test_feasible_targets_agree_with_every_click() -> None:
    # masks: outer, inner, another object; clicks: in the inner one, then outside the outer one
    inside = np.array([[True, True, False], [False, False, True]])
    assert feasible_targets(inside[:1], [True], 1).tolist() == [1, 0]
    assert feasible_targets(inside, [True, False], 0).tolist() == [0, 1]
    # the one in mind counts even if a careless click disagrees
    assert feasible_targets(inside[:1], [True], 2).tolist() == [2, 0, 1]


def test_matching_gives_every_target_its_own_best_proposal() -> None:
    targets = torch.zeros(2, 16, 16)
    targets[0, 2:6, 2:6] = 1
    targets[1, 8:15, 8:15] = 1
    logits = torch.full((3, 16, 16), -4.0)
    logits[2] += 8 * targets[0]
    logits[0] += 8 * targets[1]
    queries, matched = match(logits, torch.zeros(3), targets)
    assert dict(zip(queries.tolist(), matched.tolist(), strict=True)) == {0: 1, 2: 0}
    queries, matched = match(logits[:1], torch.zeros(1), targets)
    assert matched.tolist() == [1]


def test_prompts_are_matched_as_if_each_were_alone() -> None:
    torch.manual_seed(0)
    logits, confidence = torch.randn(3, 4, 8, 8), torch.randn(3, 4)
    targets = [(torch.rand(count, 8, 8) > 0.5).float() for count in (2, 5, 1)]
    together = match_all(logits, confidence, targets)
    for found, masks, sure, wanted in zip(together, logits, confidence, targets, strict=True):
        alone = match(masks, sure, wanted)
        np.testing.assert_array_equal(found, alone)
        assert len(found[0]) == min(4, len(wanted))


def test_pairwise_costs_are_the_losses_of_each_pair() -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(3, 50), torch.rand(4, 50).round()
    for q in range(3):
        for k in range(4):
            torch.testing.assert_close(
                pairwise_focal(logits, targets)[q, k], focal(logits[q], targets[k]).mean()
            )
            torch.testing.assert_close(
                pairwise_dice(logits, targets)[q, k], dice(logits[q], targets[k])
            )


def test_mask_iou() -> None:
    logits = torch.full((2, 4, 4), -1.0)
    logits[0, :2] = 1
    logits[1, :, :2] = 1
    target = torch.zeros(4, 4)
    target[:2] = 1
    torch.testing.assert_close(mask_iou(logits, target), torch.tensor([1.0, 1 / 3]))


def test_the_loss_falls_when_any_part_gets_better() -> None:
    target = torch.zeros(1, 8, 8)
    target[0, 2:6, 2:6] = 1
    recipe = Recipe()

    def loss(mask: float, iou: float, confidence: float) -> float:
        masks = torch.full((1, 2, 8, 8), -3.0)
        masks[0, 0] += mask * target[0]
        prediction = MaskPrediction(
            masks, torch.tensor([[iou, 0.0]]), torch.tensor([[confidence, -confidence]]).float()
        )
        matches = [(np.array([0]), np.array([0]))]
        return float(prompt_loss(prediction, [target], matches, recipe)[0])

    best = loss(6, 1, 3)
    assert best < min(loss(3, 1, 3), loss(6, 0.4, 3), loss(6, 1, 0))


def test_the_primary_target_can_weigh_more() -> None:
    targets = torch.zeros(2, 8, 8)
    targets[0, :3], targets[1, 5:] = 1, 1
    masks = torch.full((1, 2, 8, 8), -3.0)
    masks[0, 1] += 6 * targets[1]  # the other target is found, the primary is not
    prediction = MaskPrediction(masks, torch.zeros(1, 2), torch.zeros(1, 2))
    matches = [(np.array([0, 1]), np.array([0, 1]))]
    even = prompt_loss(prediction, [targets], matches, Recipe())[1]
    heavy = prompt_loss(prediction, [targets], matches, Recipe(primary=3.0))[1]
    assert heavy[1] > even[1]


def test_regret_is_what_the_pick_loses_against_the_best() -> None:
    iou = torch.tensor([[0.9, 0.2, 0.5]])
    good, bad = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    assert float(expected_regret(good, iou)) == pytest.approx(0, abs=1e-3)
    assert float(expected_regret(bad, iou)) == pytest.approx(0.7, 1e-3)
    score = torch.zeros(1, 3, requires_grad=True)
    expected_regret(score, iou).backward()
    assert score.grad is not None
    assert score.grad[0].argmin() == 0  # the best one is to score higher
    assert score.grad[0].argmax() == 1


def test_confidence_can_be_about_any_object_that_was_feasible() -> None:
    targets = torch.zeros(2, 8, 8)
    targets[0, :3], targets[1, 5:] = 1, 1
    masks = torch.full((1, 2, 8, 8), -3.0)
    masks[0, 0] += 6 * targets[1]  # the object that the user does not mean
    masks[0, 1, :, ::2] = 3  # no object at all
    matches = [(np.array([0, 1]), np.array([0, 1]))]

    def part(confidence: list[float], of: Literal["matched", "object"]) -> float:
        prediction = MaskPrediction(masks, torch.zeros(1, 2), torch.tensor([confidence]))
        recipe = Recipe(confidence_of=of)
        return float(prompt_loss(prediction, [targets], matches, recipe)[1][3])

    assert part([3, -3], "object") < part([3, 3], "object")
    assert part([3, 3], "matched") < part([3, -3], "matched")


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes_are_distributions(name: str) -> None:
    recipe = RECIPES[name]
    assert sum(recipe.rounds) == pytest.approx(1)
    assert sum(recipe.initial_clicks) == pytest.approx(1)


def test_a_rough_mask_resembles_the_object() -> None:
    rng = np.random.default_rng(0)
    mask = _square((256, 256), 60, 80, 90)
    overlaps = []
    for _ in range(20):
        rough, small = roughen(mask, rng), mask[::2, ::2]
        overlaps.append((rough & small).sum() / (rough | small).sum())
    assert 0.4 < np.mean(overlaps) < 0.95
    assert np.std(overlaps) > 0.01
