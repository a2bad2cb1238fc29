"""The proposals: the masks a model offers for the clicks on one plane."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from napari_piclick.region import Region

Chooser = Literal["trm", "user", "oracle"]

#: Two proposals whose IoU exceeds this show the same object.
DUPLICATE_IOU = 0.9


@dataclass(frozen=True, eq=False)
class Proposals:
    """Mask proposals for the clicks on one plane, the model's own pick first.

    Parameters
    ----------
    masks : (Q, h, w) float32
        Probabilities in [0, 1] on the pixels of ``region``; outside it they are zero.
    region : Region
        Where the masks lie on the plane.
    plane_shape : (H, W)
        Size of the plane in pixels.
    iou : (Q,) float32
        Predicted IoU of each mask with the object meant (IoU score, Eq. 5 of the paper).
    confidence : (Q,) float32
        Probability that the mask is an object at all (confidence score, Eq. 5).
    chosen : int
        Index of the proposal that counts.
    chosen_by : {"trm", "user", "oracle"}
        Who chose it: the model, a person, or, in evaluations only, the ground truth.
    threshold : float
        Probability from which a pixel belongs to the object.
    view : Region, optional
        The part of the plane that the model looked at.
    code_score : (Q,) float32, optional
        The score that the authors' program ranks by; only the published network has it.
    part : int, optional
        Index of the one that is no mask of the network but a part of such a mask, told by its
        brightness.
    """

    masks: np.ndarray
    region: Region
    plane_shape: tuple[int, int]
    iou: np.ndarray
    confidence: np.ndarray
    chosen: int = 0
    chosen_by: Chooser = "trm"
    threshold: float = 0.5
    view: Region | None = None
    code_score: np.ndarray | None = None
    part: int | None = None

    def __post_init__(self) -> None:
        count = len(self.masks)
        if self.masks.shape[1:] != self.region.shape or not 0 <= self.chosen < count:
            raise ValueError(
                f"{count} masks of {self.masks.shape[1:]} pixels do not fit the region "
                f"{self.region} with choice {self.chosen}."
            )

    def __len__(self) -> int:
        return len(self.masks)

    @cached_property
    def duplicate_of(self) -> tuple[int | None, ...]:
        """For each proposal, the first better one that shows the same object, or None."""
        return _mark_duplicates(self.masks > self.threshold)

    @property
    def distinct(self) -> tuple[int, ...]:
        """The proposals that are no near-duplicate of a better one."""
        return tuple(k for k, twin in enumerate(self.duplicate_of) if twin is None)

    def beside(self, step: int) -> int:
        """The proposal that looks different, after (``step`` 1) or before (-1) the chosen one."""
        distinct, twin = self.distinct, self.duplicate_of[self.chosen]
        at = distinct.index(self.chosen if twin is None else twin)
        return distinct[(at + step) % len(distinct)]

    @cached_property
    def areas(self) -> np.ndarray:
        """(Q,) int: number of pixels of each proposal."""
        return np.count_nonzero(self.masks > self.threshold, axis=(1, 2))

    @property
    def score(self) -> np.ndarray:
        """(Q,) the score that ranks: IoU score times confidence score."""
        return self.iou * self.confidence

    def choose(self, index: int, by: Chooser = "user") -> Proposals:
        """The same proposals with another choice.

        Raises
        ------
        IndexError
            If there is no such proposal.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} proposals; number {index + 1} is not one.")
        chosen = replace(self, chosen=index, chosen_by=by)
        # the choice changes neither which masks are alike nor how large they are
        for known in ("duplicate_of", "areas"):
            if known in self.__dict__:
                chosen.__dict__[known] = self.__dict__[known]
        return chosen

    def compare(self) -> Proposals:
        """The same proposals, once it is known which are alike and how large they are.

        That takes a while on large masks, which a worker has and a window has not.
        """
        _ = self.duplicate_of, self.areas
        return self

    def mask(self, index: int | None = None) -> np.ndarray:
        """(h, w) bool: a proposal (the chosen one by default) on the pixels of ``region``."""
        return self.masks[self.chosen if index is None else index] > self.threshold

    def plane_mask(self, index: int | None = None) -> np.ndarray:
        """(H, W) bool: a proposal (the chosen one by default) on the whole plane."""
        return self.region.paste(self.mask(index), self.plane_shape)


def overlaps(masks: np.ndarray) -> np.ndarray:
    """(Q, Q) float32: the IoU of (Q, h, w) bool masks with one another; 0 of empty ones."""
    flat = masks.reshape(len(masks), -1).astype(np.float32)
    shared = flat @ flat.T
    area = np.diag(shared)
    iou: np.ndarray = shared / np.maximum(area[:, None] + area[None] - shared, 1)
    return iou


def _mark_duplicates(masks: np.ndarray) -> tuple[int | None, ...]:
    """For each mask, the first earlier mask with which its IoU exceeds ``DUPLICATE_IOU``."""
    # Every second pixel decides as well as all of them, at a quarter of the cost.
    step = 2 if min(masks.shape[1:]) >= 256 else 1
    alike = overlaps(masks[:, ::step, ::step]) > DUPLICATE_IOU
    first: list[int | None] = []
    for index in range(len(masks)):
        same = [k for k in range(index) if alike[index, k]]
        first.append(same[0] if same else None)
    return tuple(first)
