"""What all predictors have in common: the plane they hold, and the checks before an answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from threading import RLock
from typing import TYPE_CHECKING, Any

from napari_piclick.predict.plane_image import PlaneImage
from napari_piclick.predict.start import check_clicks, previous_mask

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np

    from napari_piclick.clicks import Click
    from napari_piclick.predict.intensity import Window
    from napari_piclick.proposals import Proposals
    from napari_piclick.region import Region


class PlanePredictor(ABC):
    """Answers clicks on one plane at a time. Calls from several threads wait for one another.

    Parameters
    ----------
    name : str
        What the model is called in prompts and reports.
    weights_hash : str
        SHA-256 of the file of weights.
    """

    def __init__(self, name: str, weights_hash: str) -> None:
        self.name = name
        self.weights_hash = weights_hash
        self._image: PlaneImage | None = None
        self._lock = RLock()

    def set_image(
        self,
        image: Any,
        *,
        contrast_limits: Window | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        """Take a plane to answer clicks on, and do what can be done ahead.

        Parameters
        ----------
        image : array-like
            (H, W) grey or (H, W, 3 or 4) colour, any real dtype, numpy or lazy.
        contrast_limits : (low, high), optional
            Values seen as black and white; robust percentiles otherwise.
        rgb : bool, optional
            Whether the last axis holds colours; guessed from the shape if not said.
        key : hashable, optional
            Identity of the plane, by which what was done for it is found again.

        Raises
        ------
        ValueError
            If the image is not one plane of real numbers.
        Exception
            If it cannot be read; then the plane before stays.
        """
        plane = self._plane(image, contrast_limits, rgb, key)
        with self._lock:
            self._prepare(plane)
            self._image = plane

    def prefetch(
        self,
        image: Any,
        *,
        contrast_limits: Window | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        """Do what can be done ahead for another plane, without leaving the current one."""
        plane = self._plane(image, contrast_limits, rgb, key)
        with self._lock:
            self._prepare(plane)

    def predict(
        self, clicks: Sequence[Click], previous: Proposals | np.ndarray | None = None
    ) -> Proposals:
        """Answer clicks on the current image.

        Parameters
        ----------
        clicks : sequence of Click
            All clicks on the object so far. Without a positive one, the deepest point of the
            previous mask stands in for it.
        previous : Proposals or (H, W) array, optional
            The answer to the clicks before, whose chosen proposal is the previous mask;
            or a mask or probability map to refine.

        Returns
        -------
        Proposals
            Best score first; the first is chosen.

        Raises
        ------
        RuntimeError
            If no image was set.
        ValueError
            If there is nothing to start from, or a click lies outside the image.
        """
        with self._lock:
            image = self._held()
            start, region = self._start(image, clicks, previous)
            return self._answer(image, clicks, previous, start, region)

    def _held(self) -> PlaneImage:
        """The plane that is held."""
        if self._image is None:
            raise RuntimeError("There is no image yet: call set_image first.")
        return self._image

    def _start(
        self, image: PlaneImage, clicks: Sequence[Click], previous: Proposals | np.ndarray | None
    ) -> tuple[np.ndarray | None, Region | None]:
        """The previous mask and where it lies, checked together with the clicks."""
        start, region = previous_mask(previous, image.shape)
        check_clicks(clicks, start, image.shape)
        return start, region

    def _plane(
        self, image: Any, contrast_limits: Window | None, rgb: bool | None, key: Hashable
    ) -> PlaneImage:
        """The plane to hold."""
        return PlaneImage(image, contrast_limits, rgb, key)

    @abstractmethod
    def _prepare(self, plane: PlaneImage) -> None:
        """Do what can be done for a plane before the first click on it."""

    @abstractmethod
    def _answer(
        self,
        image: PlaneImage,
        clicks: Sequence[Click],
        previous: Proposals | np.ndarray | None,
        start: np.ndarray | None,
        region: Region | None,
    ) -> Proposals:
        """Answer checked clicks; ``start`` is the previous mask on ``region``, if there is one."""
