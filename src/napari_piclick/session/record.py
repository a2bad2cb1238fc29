"""The record: what is known about an object besides its voxels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.session.slice_mask import SliceMask

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from napari_piclick.clicks import Click
    from napari_piclick.session.draft import Draft


@dataclass(frozen=True, eq=False)
class Making:
    """How an object was made on one plane: enough to do it again with the same model.

    Parameters
    ----------
    clicks : tuple of Click
    choices : tuple of (int, int)
        The user's choices among the proposals: after how many clicks, and which.
    began : SliceMask, optional
        The mask that the first click refined; None for a new object. Only where it lies is kept:
        there may be thousands of them.
    model, weights_hash : str
    iou, confidence : float
        What the model predicted for the mask that was kept.
    """

    clicks: tuple[Click, ...]
    choices: tuple[tuple[int, int], ...] = ()
    began: SliceMask | None = None
    model: str = ""
    weights_hash: str = ""
    iou: float = 0.0
    confidence: float = 0.0

    @classmethod
    def of(cls, draft: Draft) -> Making:
        """How an answered draft was made.

        Raises
        ------
        ValueError
            If there is no answer yet.
        """
        if draft.proposals is None or draft.prompt is None:
            raise ValueError("The proposals for these clicks have not come yet.")
        chosen = draft.proposals.chosen
        return cls(
            draft.clicks,
            draft.choices,
            cropped(draft.start),
            draft.prompt.model,
            draft.prompt.weights_hash,
            float(draft.proposals.iou[chosen]),
            float(draft.proposals.confidence[chosen]),
        )

    @property
    def start(self) -> np.ndarray | None:
        """(H, W) bool, made anew: the mask that the first click refined; None for a new object."""
        return None if self.began is None else self.began.plane_mask()


def cropped(mask: np.ndarray | None) -> SliceMask | None:
    """An (H, W) bool mask as a making keeps it; see `Making.began`."""
    return None if mask is None else SliceMask.of(0, mask)


@dataclass(frozen=True, eq=False)
class Record:
    """What is known about an object.

    Parameters
    ----------
    kind : str
        The class that the user put it in; empty for none.
    makings : mapping of plane to Making
        How it was made, on each plane that was clicked on.
    """

    kind: str = ""
    makings: Mapping[Hashable, Making] = field(default_factory=dict)

    @property
    def clicks(self) -> int:
        """How many clicks it took."""
        return sum(len(making.clicks) for making in self.makings.values())

    @property
    def iou(self) -> float | None:
        """Mean of the predicted IoU over its planes; None if no model made it."""
        scores = [making.iou for making in self.makings.values()]
        return float(np.mean(scores)) if scores else None

    def made(self, plane: Hashable, making: Making) -> Record:
        """The record with the making on a plane."""
        return replace(self, makings={**self.makings, plane: making})

    def classed(self, kind: str) -> Record:
        """The record with another class."""
        return replace(self, kind=kind)

    def with_makings_of(self, other: Record) -> Record:
        """The record of an object that took another one in."""
        return replace(
            self, kind=self.kind or other.kind, makings={**other.makings, **self.makings}
        )
