"""The protocol of an evaluation: who picks, when clicking stops, and what can be measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np

    from napari_piclick.clicks import Click
    from napari_piclick.proposals import Proposals

Pick = Literal["trm", "oracle"]

#: Who picks, in words for reports.
PICKED_BY: dict[Pick, str] = {
    "trm": (
        "After every click the model itself picked the proposal that counts (IoU score times "
        "confidence score): this is what a user gets without choosing."
    ),
    "oracle": (
        "After every click the ground truth picked the best proposal: this is the published "
        "protocol, and what a user gets who always chooses best."
    ),
}

#: The IoUs whose number of clicks is reported (NoC80, NoC85, NoC90).
THRESHOLDS = (0.80, 0.85, 0.90)


@dataclass(frozen=True, slots=True)
class ClickProtocol:
    """How each object is clicked.

    Parameters
    ----------
    pick : {"trm", "oracle"}
        Which proposal counts after each click, and is the previous mask of the next: the model's
        own choice, or the first of those with the greatest IoU with the ground truth.
    max_clicks : int
        Clicks after which an object is given up.
    target_iou : float
        IoU at which an object is finished. A value above 1 never stops early.

    Raises
    ------
    ValueError
        If a value makes no sense.
    """

    pick: Pick = "trm"
    max_clicks: int = 20
    target_iou: float = 0.90

    def __post_init__(self) -> None:
        if self.pick not in get_args(Pick):
            raise ValueError(f"The pick can be 'trm' or 'oracle', not {self.pick!r}.")
        if self.max_clicks < 1:
            raise ValueError(f"At least one click is needed, not {self.max_clicks}.")
        if not self.target_iou > 0:
            raise ValueError(f"The target IoU must be above 0, not {self.target_iou}.")


class Segmenter(Protocol):
    """What can be measured: anything that takes an image, then clicks, as the predictor does."""

    def set_image(
        self,
        image: np.ndarray,
        *,
        contrast_limits: tuple[float, float] | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        """Take an (H, W) or (H, W, 3|4) image; ``key`` identifies it in caches."""

    def predict(
        self, clicks: Sequence[Click], previous: Proposals | np.ndarray | None = None
    ) -> Proposals:
        """Answer all clicks so far on the image, and the last proposals with their choice."""
        ...
