"""Recipes: the choices of Algorithm 1, under a name.

The paper and the authors' released code differ in places; both are offered, and
``tiny`` and then ``scores`` is what the embedded model was trained with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Previous = Literal["random", "matched", "best", "trm", "mixed"]


@dataclass(frozen=True)
class Recipe:
    """How one training prompt is made and scored.

    Parameters
    ----------
    initial_clicks : tuple of float
        Probability of 1, 2, 3, ... initial clicks; the first is always positive.
    initial_negative : float
        Probability that a further initial click is negative.
    from_mask : float
        How often a prompt begins with a rough mask from elsewhere, which the first click mends.
    rounds : tuple of float
        Probability of 0, 1, 2, ... interactive clicks after the initial ones.
    every_round : bool
        Whether every answer is scored, or only the last (the others without gradient).
    previous : str
        Which proposal the simulated user goes on from: a ``random`` one of all, a random
        ``matched`` one, the ``best`` by IoU, the one the ``trm`` picks, or a ``mixed`` user.
    click_spread : float
        Interactive clicks fall where the distance to the error's edge is at least this
        fraction of its maximum; 1 is the deepest point.
    careful : float
        How often a click falls right in the middle instead, as most users' and the
        evaluator's do: where the middle lies tells a part from the whole.
    focal, dice, iou, confidence : float
        Weights of the parts of the loss (Eq. 6).
    iou_error : str
        The IoU score's error: ``"l1"`` as in Eq. 6, for which the median is best, or
        ``"squared"``, for which the mean is, and that is what a pick should go by.
    confidence_of : str
        What the confidence score tells: whether a proposal was ``"matched"`` (Eq. 6), or whether
        it is an ``"object"``, whichever the user means: a mask halfway between two objects
        may have the highest expected IoU, but nobody wants it. The latter is for ``"scores"``
        alone: where it may flow back into the queries, masks are unlearned.
    regret : float
        Weight of what the TRM's pick is expected to lose against the best proposal.
    unmatched : float
        Weight of "no object" in the confidence loss.
    primary : float
        Weight of the primary target's mask loss among the feasible ones.
    learns : str
        What is trained: ``"all"``, or only the ``"scores"`` of the TRM, while every mask stays
        what it is.
    """

    initial_clicks: tuple[float, ...] = (1.0,)
    initial_negative: float = 0.0
    from_mask: float = 0.0
    rounds: tuple[float, ...] = (0.2, 0.2, 0.2, 0.2, 0.2)
    every_round: bool = False
    previous: Previous = "random"
    click_spread: float = 0.5
    careful: float = 0.0
    focal: float = 20.0
    dice: float = 1.0
    iou: float = 0.3
    confidence: float = 1.0
    unmatched: float = 0.1
    primary: float = 1.0
    iou_error: Literal["l1", "squared"] = "l1"
    confidence_of: Literal["matched", "object"] = "matched"
    regret: float = 0.0
    learns: Literal["all", "scores"] = "all"


# The embedded model: later clicks count as much as the first, so every answer is scored.
_TINY = Recipe(
    initial_clicks=(0.85, 0.09, 0.06),
    initial_negative=0.4,
    from_mask=0.12,
    rounds=(0.15, 0.2, 0.2, 0.2, 0.15, 0.1),
    every_round=True,
    previous="mixed",
    careful=0.5,
    iou=4.0,
    iou_error="squared",
    unmatched=0.5,
    regret=0.25,
    primary=2.0,
)

RECIPES: dict[str, Recipe] = {
    # Algorithm 1: one to ten initial clicks, 0 to 4 interactive ones, any of the N proposals.
    "paper": Recipe(initial_clicks=(0.1,) * 10, unmatched=1.0, iou=1.0),
    # What the released code does: rarely many initial clicks, 0 to 3 rounds, matched proposals.
    "code": Recipe(
        initial_clicks=(0.3, 0.21, 0.15, 0.1, 0.08, 0.06, 0.05, 0.05),
        initial_negative=0.4,
        rounds=(0.25, 0.25, 0.25, 0.25),
        previous="matched",
    ),
    "tiny": _TINY,
    # Its second part: the masks are what they are; which of them is meant?
    "scores": replace(_TINY, learns="scores", confidence=0.5, confidence_of="object"),
}
