"""What happened on one object, and on one image as a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from napari_piclick.clicks import Click

#: A difference of IoU that a person sees.
CLEARLY = 0.05


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """What happened on one object; all tuples have one entry for each click.

    Parameters
    ----------
    image, object : str
        Stem of the image and name of the object on it.
    position : (image, object)
        Where it stands in the dataset: number of the image, and of the object on it.
    ious : tuple of float
        IoU with the ground truth of the proposal that counted.
    clicks : tuple of Click
        The simulated annotator's clicks.
    picked : tuple of int
        Index of the proposal that counted (0 is the model's own pick).
    proposed : tuple of int
        Index of the proposal that the model itself would have picked.
    proposal_ious : tuple of tuple of float
        IoU of every proposal.
    seconds : tuple of float
        Time the predictor took.
    threshold : float
        Probability above which a pixel counted as object.
    different : int
        How many of the proposals after the first click differ from one another (an IoU
        below 0.9).
    around : tuple of (str, float)
        Names of the objects around this one, each with the greatest IoU that a proposal after
        the first click, which is on this object, has with it.
    slices : tuple of int
        In volumes, the slice of each click; then ``ious`` are 3D Dice.
    part : int, optional
        Index of the proposal after the first click that is no mask of the network but a part of
        one, told by its brightness.
    """

    image: str
    object: str
    position: tuple[int, int]
    ious: tuple[float, ...]
    clicks: tuple[Click, ...]
    picked: tuple[int, ...]
    proposed: tuple[int, ...]
    proposal_ious: tuple[tuple[float, ...], ...]
    seconds: tuple[float, ...]
    threshold: float
    different: int = 0
    around: tuple[tuple[str, float], ...] = ()
    slices: tuple[int, ...] = ()
    part: int | None = None

    @property
    def best_ious(self) -> tuple[float, ...]:
        """The greatest IoU among the proposals after each click."""
        return tuple(max(ious) for ious in self.proposal_ious)

    @property
    def part_is_best(self) -> bool:
        """Whether no mask of the network is as good after the first click as the part."""
        ious = self.proposal_ious[0]
        if self.part is None:
            return False
        return all(ious[self.part] > iou for k, iou in enumerate(ious) if k != self.part)

    @property
    def first_own_iou(self) -> float:
        """IoU after the first click of the proposal that the model itself would have picked."""
        return self.proposal_ious[0][self.proposed[0]]

    @property
    def clear_selections(self) -> int:
        """Clicks after which another proposal was better by more than `CLEARLY`."""
        return self.selections_to(math.inf)

    @property
    def selections(self) -> int:
        """Clicks after which another proposal was better than the model's own pick.

        These are the additional selections that a person would have had to make (Table 5).
        """
        return sum(
            ious[own] < max(ious)
            for ious, own in zip(self.proposal_ious, self.proposed, strict=True)
        )

    def selections_to(self, threshold: float) -> int:
        """How often a person content with this IoU has to take another proposal on the way there.

        These are the clicks, up to the first whose picked proposal reaches ``threshold``, after
        which the model's own pick did not and another proposal was better by more than `CLEARLY`.
        """
        count = 0
        for iou, ious, own in zip(self.ious, self.proposal_ious, self.proposed, strict=True):
            count += ious[own] < threshold and max(ious) - ious[own] > CLEARLY
            if iou >= threshold:
                break
        return count

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values; `from_dict` reads it back exactly."""
        return {
            "image": self.image,
            "object": self.object,
            "position": list(self.position),
            "ious": list(self.ious),
            "clicks": [[click.row, click.col, int(click.positive)] for click in self.clicks],
            "picked": list(self.picked),
            "proposed": list(self.proposed),
            "proposal_ious": [list(ious) for ious in self.proposal_ious],
            "seconds": list(self.seconds),
            "threshold": self.threshold,
            "different": self.different,
            "around": [list(each) for each in self.around],
            "slices": list(self.slices),
            "part": self.part,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ObjectResult:
        """Read what `to_dict` gave."""
        image, number = values["position"]
        return cls(
            values["image"],
            values["object"],
            (image, number),
            tuple(values["ious"]),
            tuple(Click(row, col, bool(positive)) for row, col, positive in values["clicks"]),
            tuple(values["picked"]),
            tuple(values["proposed"]),
            tuple(tuple(ious) for ious in values["proposal_ious"]),
            tuple(values["seconds"]),
            values["threshold"],
            values["different"],
            tuple((name, iou) for name, iou in values["around"]),
            tuple(values["slices"]),
            values.get("part"),
        )


@dataclass(frozen=True, slots=True)
class ImageDone:
    """All objects of an image are done.

    Parameters
    ----------
    number : int
        Of the image in the dataset.
    image : str
        Its stem.
    objects : int
        How many objects it has.
    encoding_seconds : float
        Time the predictor took to take the image.
    """

    number: int
    image: str
    objects: int
    encoding_seconds: float
