"""The prompt batch: simulated users, each with a target in mind on a picture of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from napari_piclick.models.mask_decoder import ImageEmbedding
from napari_piclick.models.target_reasoning import choose
from napari_piclick.train.click_simulation import initial_click, negative_click, next_click
from napari_piclick.train.encoding import stack_features, stack_pixels
from napari_piclick.train.losses import mask_iou
from napari_piclick.train.matching import feasible_targets, match_all
from napari_piclick.train.rough_mask import roughen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.models.mask_decoder import MaskPrediction
    from napari_piclick.models.tiny_vit import EncoderFeatures
    from napari_piclick.train.picture_store import Picture
    from napari_piclick.train.recipe import Previous, Recipe

#: A mixed user goes on from the TRM's pick, the best proposal or any, this often.
MIXED: dict[Previous, float] = {"trm": 0.4, "best": 0.3, "random": 0.3}
#: Logits of a previous mask are kept within this, as at prediction time.
LIMIT = 9.2
#: First clicks fall where the distance to the edge is at least this share of the largest.
INITIAL_SPREAD = 0.3
#: The same of a careful user, who clicks in the middle.
CAREFUL = 0.95


class PromptBatch:
    """B prompts that grow by one click a round.

    Parameters
    ----------
    pictures : pictures of one size
    recipe : Recipe
    rng : numpy Generator
        Draws targets and clicks.
    device : torch.device
    each : int
        Prompts on each picture; those of one picture follow one another.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        recipe: Recipe,
        rng: np.random.Generator,
        device: torch.device,
        each: int = 1,
    ) -> None:
        self.recipe, self.rng, self.device = recipe, rng, device
        self._shown, self._each = pictures, each
        self.pictures = pictures = [picture for picture in pictures for _ in range(each)]
        self.primary = [int(rng.choice(len(p.weights), p=_unit(p.weights))) for p in pictures]
        self.masks = [p.mask(k) for p, k in zip(pictures, self.primary, strict=True)]
        # a missing click (None) keeps the batch even
        self.clicks: list[list[Click | None]] = [[] for _ in pictures]
        self.previous: Tensor | None = None
        if rng.random() < recipe.from_mask:
            self._begin_with_masks()
        else:
            self._begin_with_clicks()

    def _begin_with_clicks(self) -> None:
        weights = self.recipe.initial_clicks
        count = 1 + int(self.rng.choice(len(weights), p=_unit(weights)))
        for mask, clicks in zip(self.masks, self.clicks, strict=True):
            clicks.append(initial_click(mask, self.rng, self._spread(INITIAL_SPREAD)))
            for _ in range(count - 1):
                negative = self.rng.random() < self.recipe.initial_negative
                make = negative_click if negative else initial_click
                clicks.append(make(mask, self.rng))

    def _begin_with_masks(self) -> None:
        rough = np.stack([roughen(mask, self.rng) for mask in self.masks])
        logits = torch.from_numpy(rough).to(self.device).float()[:, None] * 2 * LIMIT - LIMIT
        shape = self.pictures[0].targets.shape[1:]
        self.previous = F.interpolate(logits, (shape[0], shape[1]), mode="bilinear")
        # as the predictor does: a positive click in the mask, then the one that mends it
        for mask, found, clicks in zip(
            self.masks, self._full(self.previous), self.clicks, strict=True
        ):
            clicks.append(initial_click(mask & found if (mask & found).any() else mask, self.rng))
            clicks.append(self._mend(mask, found))

    def _spread(self, usual: float) -> float:
        """How far from the middle this click may fall."""
        careful = self.recipe.careful and self.rng.random() < self.recipe.careful
        return CAREFUL if careful else usual

    def _mend(self, mask: np.ndarray, found: np.ndarray) -> Click | None:
        return next_click(mask, found, self.rng, self._spread(self.recipe.click_spread))

    def _full(self, logits: Tensor) -> np.ndarray:
        """(B, H, W) bool of (B, 1, h, w) logits, as large as the pictures."""
        full = F.interpolate(logits, self.masks[0].shape, mode="bilinear")[:, 0] > 0
        found: np.ndarray = full.cpu().numpy()
        return found

    def features(self) -> EncoderFeatures:
        """The pictures' kept features as one batch, each picture once."""
        return stack_features([p.features for p in self._shown if p.features], self.device)

    def pixels(self) -> Tensor:
        """(P, 3, H, W) float32 in 0..255: each picture once, for an encoder that learns."""
        kept = [p.pixels for p in self._shown if p.pixels is not None]
        return stack_pixels(kept, self.device)

    def embedding(self, of_pictures: ImageEmbedding) -> ImageEmbedding:
        """The embedding of every prompt's picture."""
        if self._each == 1:
            return of_pictures
        return ImageEmbedding(*(part.repeat_interleave(self._each, 0) for part in of_pictures))

    def prompt(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Points (B, N, 2), signs (B, N) and previous logits (B, 1, h, w) or None."""
        places = [[(c.row, c.col) if c else (0.0, 0.0) for c in row] for row in self.clicks]
        signs = [[float(c.positive) if c else -1.0 for c in row] for row in self.clicks]
        return (
            torch.tensor(places, device=self.device),
            torch.tensor(signs, device=self.device),
            self.previous,
        )

    def targets(self) -> list[Tensor]:
        """(K, h, w) feasible targets of each prompt, the primary one first."""
        found = [self._target(b) for b in range(len(self.pictures))]
        # all at once: a GPU takes one large tensor much sooner than many
        together = torch.cat(found).to(self.device).float() / 255
        return list(together.split([len(one) for one in found]))

    def _target(self, b: int) -> Tensor:
        """(K, h, w) uint8 feasible targets of one prompt."""
        clicks = [c for c in self.clicks[b] if c]
        inside = np.stack([self.pictures[b].inside(*c.pixel) for c in clicks])
        found = feasible_targets(inside, [c.positive for c in clicks], self.primary[b])
        return self.pictures[b].targets[torch.from_numpy(found)]

    def match(
        self, prediction: MaskPrediction, targets: Sequence[Tensor]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Assign each prompt's proposals to its feasible targets."""
        weights = self.recipe.focal, self.recipe.dice
        return match_all(prediction.masks, prediction.confidence, targets, *weights)

    def answer(
        self,
        prediction: MaskPrediction,
        targets: Sequence[Tensor],
        matches: Sequence[tuple[np.ndarray, np.ndarray]],
    ) -> None:
        """Let every user go on from one proposal: it becomes the previous mask, and they click."""
        logits = prediction.masks.detach().float()
        picks = self._picks(prediction, targets, matches)
        picked = logits[torch.arange(len(picks)), picks][:, None]
        self.previous = picked.clamp(-LIMIT, LIMIT)
        for clicks, mask, found in zip(self.clicks, self.masks, self._full(picked), strict=True):
            clicks.append(self._mend(mask, found))

    def _picks(
        self,
        prediction: MaskPrediction,
        targets: Sequence[Tensor],
        matches: Sequence[tuple[np.ndarray, np.ndarray]],
    ) -> list[int]:
        """Which proposal each user goes on from."""
        scores = prediction.iou.detach().clamp(0, 1), prediction.confidence.detach().sigmoid()
        primary = torch.stack([target[0] for target in targets])
        trm = choose(*scores).tolist()
        best = mask_iou(prediction.masks.detach(), primary).argmax(1).tolist()
        picks = []
        for b, (queries, _) in enumerate(matches):
            how = self.recipe.previous
            if how == "mixed":
                names = list(MIXED)
                how = names[int(self.rng.choice(len(names), p=list(MIXED.values())))]
            if how == "trm":
                picks.append(trm[b])
            elif how == "best":
                picks.append(best[b])
            elif how == "matched":
                picks.append(int(self.rng.choice(queries)))
            else:
                picks.append(int(self.rng.integers(prediction.masks.shape[1])))
        return picks


def _unit(weights: Sequence[float] | np.ndarray) -> np.ndarray:
    """Weights as probabilities that sum to one in double precision."""
    values = np.asarray(weights, np.float64)
    return values / values.sum()
