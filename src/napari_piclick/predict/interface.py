"""What every predictor can do, whichever model is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np

    from napari_piclick.clicks import Click
    from napari_piclick.predict.intensity import Window
    from napari_piclick.proposals import Proposals


class ClickPredictor(Protocol):
    """Takes a plane, then answers clicks on it with proposals; made by `load_predictor`.

    Attributes
    ----------
    name : str
        What the model is called in prompts and reports.
    weights_hash : str
        SHA-256 of the file of weights.
    """

    name: str
    weights_hash: str

    @property
    def device(self) -> str:
        """Where the model runs, as torch names it."""
        ...

    def set_image(
        self,
        image: Any,
        *,
        contrast_limits: Window | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        """Take a plane, (H, W) or (H, W, 3 or 4), to answer clicks on."""

    def prefetch(
        self,
        image: Any,
        *,
        contrast_limits: Window | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        """Do what can be done ahead for another plane."""

    def predict(
        self, clicks: Sequence[Click], previous: Proposals | np.ndarray | None = None
    ) -> Proposals:
        """Answer all clicks so far, and the previous answer with its choice or a mask."""
        ...
