"""The protocol of an evaluation: who picks, when clicking stops, and what can be measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np

    from napari_piclick.clicks import Click
    from napari_piclick.proposals import Proposals

Pick = Literal["trm", "oracle", "code"]
Compat = Literal["published"]

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
    "code": (
        "After every click the model itself picked the proposal that counts, by the score of the "
        "authors' program (its option --max_score), which is not the product in the paper."
    ),
}

#: The IoUs whose number of clicks is reported (NoC80, NoC85, NoC90).
THRESHOLDS = (0.80, 0.85, 0.90)

#: Probability above which the published program counts a pixel as object.
PUBLISHED_THRESHOLD = 0.49


@dataclass(frozen=True, slots=True)
class ClickProtocol:
    """How each object is clicked.

    Parameters
    ----------
    pick : {"trm", "oracle", "code"}
        Which proposal counts after each click, and is the previous mask of the next: the model's
        own choice; the first of those with the greatest IoU with the ground truth; or the choice
        by the score of the authors' program, for models that give it.
    max_clicks : int
        Clicks after which an object is given up.
    target_iou : float
        IoU at which an object is finished. A value above 1 never stops early.
    compat : "published" or None
        With "published", a pixel is object above a probability of 0.49, whatever the model's own
        threshold is, as in the program behind the published tables.
    volume : bool
        Whether objects are clicked in 3D and followed through slices (see
        `napari_piclick.eval.volume_annotation`); then 3D Dice stands for IoU everywhere.

    Raises
    ------
    ValueError
        If a value makes no sense.
    """

    pick: Pick = "trm"
    max_clicks: int = 20
    target_iou: float = 0.90
    compat: Compat | None = None
    volume: bool = False

    def __post_init__(self) -> None:
        if self.pick not in get_args(Pick):
            raise ValueError(f"The pick can be 'trm', 'oracle' or 'code', not {self.pick!r}.")
        if self.max_clicks < 1:
            raise ValueError(f"At least one click is needed, not {self.max_clicks}.")
        if not self.target_iou > 0:
            raise ValueError(f"The target IoU must be above 0, not {self.target_iou}.")
        if self.compat not in (None, "published"):
            raise ValueError(f"Compat can be 'published' or left out, not {self.compat!r}.")

    def as_dict(self) -> dict[str, Any]:
        """The protocol as plain values, as it is written to files."""
        return asdict(self)


class Segmenter(Protocol):
    """What can be measured: anything that takes an image, then clicks, as the predictor does.

    A model of another project needs these two methods and nothing else (a ``name`` is used in
    reports if there is one). ``docs/evaluation.md`` shows how to measure it.
    """

    def set_image(
        self,
        image: np.ndarray,
        *,
        contrast_limits: tuple[float, float] | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        """Take an image; it stays until the next one.

        Parameters
        ----------
        image : (H, W) or (H, W, 3|4), in the dtype of its file.
        contrast_limits : (low, high), the values to show as black and white, or None if the
            dataset does not say.
        rgb : whether the last axis holds colours.
        key : identifies the image in caches.
        """

    def predict(
        self, clicks: Sequence[Click], previous: Proposals | np.ndarray | None = None
    ) -> Proposals:
        """Answer all clicks so far on one object.

        Parameters
        ----------
        clicks : all clicks on the object, the newest last.
        previous : what this method returned for the clicks before, with the choice that counts;
            None at an object's first click.

        Returns
        -------
        Proposals
            One mask or several; its ``chosen`` is the model's own pick.
        """
        ...
