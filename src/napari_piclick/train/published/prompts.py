"""The prompts: simulated users of the published network, each with an object in mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from napari_piclick.models.piclick import make_points
from napari_piclick.train.click_simulation import initial_click, negative_click, next_click
from napari_piclick.train.matching import feasible_targets, match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.models.piclick_head import PredictionSet
    from napari_piclick.train.recipe import Recipe
    from napari_piclick.train.sample import TrainingSample

#: A pixel is object above this probability where the next click is looked for.
THRESHOLD = 0.49


class PublishedPrompts:
    """B simulated users, each with an object in mind on a picture of their own.

    Parameters
    ----------
    samples : B training samples of one size
    recipe : Recipe
    rng : numpy Generator
    device : torch.device
    """

    def __init__(
        self,
        samples: Sequence[TrainingSample],
        recipe: Recipe,
        rng: np.random.Generator,
        device: torch.device,
    ) -> None:
        self._recipe, self._rng, self._device = recipe, rng, device
        chosen = [int(rng.choice(len(s.weights), p=s.weights / s.weights.sum())) for s in samples]
        self._samples, self._chosen = samples, chosen
        self.masks = [s.masks[k] for s, k in zip(samples, chosen, strict=True)]
        self.clicks = [self._begin(mask) for mask in self.masks]
        # In the rounds, what may be meant is judged by the clicks that a user begins with.
        self.judge()
        self.primary = torch.stack([target[0] for target in self.targets])
        images = np.stack([sample.image for sample in samples])
        self._rgb = torch.from_numpy(images).permute(0, 3, 1, 2).to(device) / 255
        self.previous = torch.zeros_like(self._rgb[:, :1])

    def judge(self) -> None:
        """Set the ``targets``, (K, H, W) in {0, 1} each: what every click up to now agrees with.

        To be asked again before an answer is learned from: both Algorithm 1 and the released code
        then go by the clicks of the rounds, too.
        """
        self.targets = [
            self._feasible(sample, k, clicks)
            for sample, k, clicks in zip(self._samples, self._chosen, self.clicks, strict=True)
        ]

    def prompt(self) -> tuple[Tensor, Tensor]:
        """Pictures (B, 4, H, W) with the previous masks, and points (B, 2P, 3)."""
        length = max(
            (sum(c.positive == sign for c in row) for row in self.clicks for sign in (True, False)),
            default=1,
        )
        rows = []
        for clicks in self.clicks:
            places = [(c.row, c.col, k) for k, c in enumerate(clicks)]
            signs = [c.positive for c in clicks]
            rows.append(
                make_points(
                    [p for p, s in zip(places, signs, strict=True) if s],
                    [p for p, s in zip(places, signs, strict=True) if not s],
                    length,
                )
            )
        points = torch.tensor(rows, dtype=torch.float32, device=self._device)
        return torch.cat([self._rgb, self.previous], 1), points

    def answer(self, prediction: PredictionSet) -> None:
        """Let every user go on from one of the proposals that were matched, with one more click."""
        shape = self.masks[0].shape
        logits = F.interpolate(prediction.masks.float(), shape, mode="bilinear", align_corners=True)
        objects = prediction.objects.float()
        picked = []
        for mask, confidence, target in zip(
            logits, objects[..., 0] - objects[..., 1], self.targets, strict=True
        ):
            queries, _ = match(mask, confidence, target, self._recipe.focal, self._recipe.dice)
            picked.append(mask[int(self._rng.choice(queries))])
        self.previous = torch.stack(picked)[:, None].sigmoid()
        found = (self.previous[:, 0] > THRESHOLD).cpu().numpy()
        for clicks, mask, answer in zip(self.clicks, self.masks, found, strict=True):
            click = next_click(mask, answer, self._rng, self._recipe.click_spread)
            if click is not None:
                clicks.append(click)

    def _begin(self, mask: np.ndarray) -> list[Click]:
        weights = np.asarray(self._recipe.initial_clicks)
        count = 1 + int(self._rng.choice(len(weights), p=weights / weights.sum()))
        clicks = [initial_click(mask, self._rng)]
        for _ in range(count - 1):
            negative = self._rng.random() < self._recipe.initial_negative
            click = (negative_click if negative else initial_click)(mask, self._rng)
            clicks += [] if click is None else [click]
        return clicks

    def _feasible(self, sample: TrainingSample, primary: int, clicks: list[Click]) -> Tensor:
        inside = np.stack([sample.masks[:, c.pixel[0], c.pixel[1]] for c in clicks])
        found = feasible_targets(inside, [c.positive for c in clicks], primary)
        return torch.from_numpy(sample.masks[found]).to(self._device, torch.float32)
