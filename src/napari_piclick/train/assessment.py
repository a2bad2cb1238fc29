"""Assessment: how well a model answers simulated users on pictures it did not train on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from napari_piclick.models.target_reasoning import choose
from napari_piclick.train.click_simulation import initial_click, next_click
from napari_piclick.train.encoding import stack_features
from napari_piclick.train.prompt_batch import LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.models.piclick_tiny import PiClickTiny
    from napari_piclick.models.tiny_vit import EncoderFeatures
    from napari_piclick.train.sample import TrainingSample


#: An object counts as found among the proposals from this IoU on.
FOUND = 0.75


@dataclass(frozen=True)
class Assessment:
    """Mean IoU after each click, over the objects of one source.

    Parameters
    ----------
    picked : (clicks,) IoU of the proposals that the TRM picked.
    best : (clicks,) IoU of the best of the proposals, in the same runs.
    spread : proposals of the first click that differ from all better ones by over 0.1 IoU.
    found : share of the objects a first click may mean that are among its proposals, at an
        IoU of 0.75 or more.
    objects : number of objects.
    """

    picked: np.ndarray
    best: np.ndarray
    spread: float
    found: float
    objects: int


def assess(
    model: PiClickTiny,
    pictures: Iterable[tuple[TrainingSample, EncoderFeatures]],
    clicks: int = 5,
    objects: int = 3,
    seed: int = 0,
) -> Assessment:
    """Click objects of pictures, always going on from the TRM's pick.

    Parameters
    ----------
    model : PiClickTiny
    pictures : TrainingSample of sides that are multiples of 16, and its features
    clicks : clicks per object
    objects : objects per picture, drawn by their weights
    seed : of the choice of objects and of clicks among equally good ones
    """
    rng = np.random.default_rng(seed)
    device = next(model.parameters()).device
    picked, best, spreads, found = [], [], [], []
    for sample, features in pictures:
        with torch.inference_mode():
            embedding = model.embed(stack_features([features], device))
        weights = sample.weights.astype(np.float64) / sample.weights.sum(dtype=np.float64)
        count = min(objects, int((weights > 0).sum()))
        for index in rng.choice(len(weights), count, replace=False, p=weights):
            target = sample.masks[index]
            given: list[Click] = [initial_click(target, rng, spread=1.0)]
            previous = None
            rows: list[tuple[float, float]] = []
            while len(rows) < clicks:
                points = torch.tensor([[(c.row, c.col) for c in given]], device=device)
                signs = torch.tensor([[float(c.positive) for c in given]], device=device)
                with torch.inference_mode():
                    answer = model.decode(embedding, points, signs, previous)
                    full = F.interpolate(answer.masks.float(), target.shape, mode="bilinear")[0] > 0
                    pick = int(choose(answer.iou.clamp(0, 1), answer.confidence.sigmoid()))
                masks = full.cpu().numpy()
                overlaps = _overlaps(masks, target)
                rows.append((overlaps[pick], overlaps.max()))
                if len(rows) == 1:
                    spreads.append(_distinct(masks))
                    meant = sample.masks[sample.masks[:, given[0].pixel[0], given[0].pixel[1]]]
                    found += [_overlaps(masks, one).max() >= FOUND for one in meant]
                previous = answer.masks[:, pick : pick + 1].clamp(-LIMIT, LIMIT)
                click = next_click(target, masks[pick], rng, spread=1.0)
                if click is None:  # nothing left to mend
                    rows += [rows[-1]] * (clicks - len(rows))
                else:
                    given.append(click)
            picked.append([row[0] for row in rows])
            best.append([row[1] for row in rows])
    return Assessment(
        np.mean(picked, axis=0),
        np.mean(best, axis=0),
        float(np.mean(spreads)),
        float(np.mean(found)),
        len(picked),
    )


def _overlaps(masks: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(Q,) IoU of (Q, H, W) masks with one (H, W) mask."""
    union = (masks | target).sum((1, 2))
    return (masks & target).sum((1, 2)) / np.maximum(union, 1)


def _distinct(masks: np.ndarray) -> int:
    """How many of (Q, H, W) masks differ by over 0.1 IoU from all that come before them."""
    kept: list[np.ndarray] = []
    for mask in masks:
        if mask.any() and all(_overlaps(mask[None], other)[0] < 0.9 for other in kept):
            kept.append(mask)
    return len(kept)


def summary(found: Mapping[str, Assessment]) -> dict[str, float]:
    """One row for a log: the first and third click's IoU of each source, and their mean."""
    row: dict[str, float] = {}
    for name, one in found.items():
        third = min(2, len(one.picked) - 1)
        row[f"{name}@1"] = float(one.picked[0])
        row[f"{name}@1 best"] = float(one.best[0])
        row[f"{name}@3"] = float(one.picked[third])
        row[f"{name} found"] = one.found
    row["score"] = score(found.values())
    return row


def score(found: Iterable[Assessment] | Sequence[Assessment]) -> float:
    """What the best weights are kept by, of the mean over sources.

    Three parts are the mean IoU of the picks over clicks, one is the share of the objects a
    click may mean that were found: weights that see one reading only are not the best.
    """
    return float(np.mean([0.75 * one.picked.mean() + 0.25 * one.found for one in found]))
