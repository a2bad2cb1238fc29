"""The draft: an unfinished object at one moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.region import Region

if TYPE_CHECKING:
    from napari_piclick.clicks import Click
    from napari_piclick.proposals import Proposals
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.prompt import Previous, Prompt


@dataclass(frozen=True, eq=False)
class Draft:
    """Clicks on an object, and the proposals for them once they are known.

    Parameters
    ----------
    clicks : tuple of Click
        In the order they were made.
    previous : Proposals or (H, W) array, optional
        The mask that the clicks refine.
    proposals : Proposals, optional
        The answer to these clicks; None until it comes, or when it was let go to save memory.
    choice : int, optional
        The proposal that the user chose, if they did.
    prompt : Prompt, optional
        The question that the proposals answer, signed by the model.
    label : int, optional
        The id of the object that is refined; None for a new one.
    labels : LabelMap, optional
        Where that object is.
    start : (H, W) bool, optional
        The mask of that object before the first click.
    choices : tuple of (int, int)
        The user's choices so far: after how many clicks, and which.
    painted : bool
        Whether somebody painted on the proposals, so that no model can give them again.
    """

    clicks: tuple[Click, ...] = ()
    previous: Previous = None
    proposals: Proposals | None = None
    choice: int | None = None
    prompt: Prompt | None = None
    label: int | None = None
    labels: LabelMap | None = None
    start: np.ndarray | None = None
    choices: tuple[tuple[int, int], ...] = ()
    painted: bool = False

    @classmethod
    def of_object(cls, label: int, labels: LabelMap, mask: np.ndarray) -> Draft:
        """An object that is there already, to be refined, with its (H, W) bool mask."""
        start = mask if mask.any() else None
        return cls(previous=start, label=label, labels=labels, start=start)

    @property
    def blank(self) -> bool:
        """Whether nothing was begun."""
        return not self.clicks and self.label is None

    @property
    def askable(self) -> bool:
        """Whether a predictor can say anything: there is something to start from."""
        positive = any(click.positive for click in self.clicks)
        return bool(self.clicks) and (positive or self.previous is not None)

    @property
    def nbytes(self) -> int:
        """Memory taken by masks, roughly."""
        held = (self.previous, self.proposals)
        arrays = [
            part if part is None or isinstance(part, np.ndarray) else part.masks for part in held
        ]
        return sum(array.nbytes for array in arrays if array is not None)

    def asks(self, prompt: Prompt) -> bool:
        """Tell whether this draft waits for the answer to this question."""
        asked = self.clicks == prompt.clicks and self.previous is prompt.previous
        return asked and self.proposals is None

    def answer(self, prompt: Prompt, proposals: Proposals) -> Draft:
        """The draft with its answer; a choice the user made among the same proposals holds."""
        if self.choice is not None and self.choice < len(proposals):
            proposals = proposals.choose(self.choice)
        return replace(self, proposals=proposals, prompt=prompt)

    def answer_if_asked(self, prompt: Prompt, proposals: Proposals) -> Draft:
        """The draft with the answer, if it waits for it."""
        return self.answer(prompt, proposals) if self.asks(prompt) else self

    def unanswered(self) -> Draft:
        """The draft without its proposals, which take most of the memory."""
        if self.proposals is None or self.painted:
            return self
        return replace(self, proposals=None)

    def clicked(self, clicks: tuple[Click, ...], shown: Proposals | None) -> Draft:
        """The draft with other clicks.

        If they add to the present ones, the mask that is shown is refined; if one was moved or
        taken away, the object is predicted afresh.
        """
        adds = clicks[: len(self.clicks)] == self.clicks
        previous: Previous = self.start
        if adds:
            previous = self.previous if shown is None else only_chosen(shown)
        return Draft(
            clicks,
            previous,
            label=self.label,
            labels=self.labels,
            start=self.start,
            choices=self.choices if adds else (),
        )

    def choose(self, index: int) -> Draft:
        """The draft with another proposal chosen by the user.

        Raises
        ------
        IndexError
            If there is no such proposal.
        """
        if self.proposals is None:
            raise IndexError("There are no proposals to choose from.")
        now = len(self.clicks)
        earlier = tuple(choice for choice in self.choices if choice[0] != now)
        return replace(
            self,
            proposals=self.proposals.choose(index),
            choice=index,
            choices=(*earlier, (now, index)),
        )

    def paint(
        self, pixels: tuple[np.ndarray, np.ndarray], on: np.ndarray, shape: tuple[int, int]
    ) -> Draft:
        """The draft of an object that somebody painted on: nothing of that is lost.

        Parameters
        ----------
        pixels : (rows, cols)
        on : (N,) bool
            Which of them belong to the object now.
        shape : (H, W)
            Size of the plane.
        """
        start = np.zeros(shape, bool) if self.start is None else self.start.copy()
        start[pixels] = on
        previous, proposals = self.previous, self.proposals
        if previous is self.start:
            previous = start if start.any() else None
        elif previous is not None and not isinstance(previous, np.ndarray):
            previous = painted_over(previous, pixels, on)
        if proposals is not None:
            proposals = painted_over(proposals, pixels, on)
        return replace(
            self,
            start=start if start.any() else None,
            previous=previous,
            proposals=proposals,
            painted=proposals is not None,
        )

    def without_labels(self, labels: LabelMap) -> Draft:
        """The draft as one of a new object, if its labels are these."""
        return replace(self, label=None, labels=None) if self.labels is labels else self


def only_chosen(proposals: Proposals) -> Proposals:
    """The chosen proposal alone, a seventh of the memory: enough for a previous mask."""
    kept = slice(proposals.chosen, proposals.chosen + 1)
    return replace(
        proposals,
        masks=proposals.masks[kept].copy(),
        iou=proposals.iou[kept],
        confidence=proposals.confidence[kept],
        chosen=0,
    )


def painted_over(
    proposals: Proposals, pixels: tuple[np.ndarray, np.ndarray], on: np.ndarray
) -> Proposals:
    """The proposals with pixels of the plane, (rows, cols), put on or off in every mask."""
    rows, cols = pixels
    if not rows.size:
        return proposals
    box = Region(int(rows.min()), int(rows.max()) + 1, int(cols.min()), int(cols.max()) + 1)
    region = proposals.region.union(box)
    masks = np.zeros((len(proposals), *region.shape), proposals.masks.dtype)
    inner = (proposals.region.row0 - region.row0, proposals.region.col0 - region.col0)
    height, width = proposals.region.shape
    masks[:, inner[0] : inner[0] + height, inner[1] : inner[1] + width] = proposals.masks
    masks[:, rows - region.row0, cols - region.col0] = on
    return replace(proposals, masks=masks, region=region)
