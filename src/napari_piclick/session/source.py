"""The source: what a predictor is shown of an image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_piclick.plane import Plane, PlanePixels
    from napari_piclick.predict import ClickPredictor
    from napari_piclick.proposals import Proposals
    from napari_piclick.session.prompt import Prompt
    from napari_piclick.session.shared_predictor import SharedPredictor


@dataclass(frozen=True, eq=False)
class Source:
    """One plane of an image and the window through which it is seen.

    Parameters
    ----------
    key : hashable
        Identity of the pixels, for the predictor's cache: it changes when they do.
    plane : Plane
    volume : array-like
        The whole nD image; only the plane is ever read from it.
    contrast_limits : (low, high), optional
        Values seen as black and white; robust percentiles otherwise.
    colors : bool
        Whether the volume has a last axis of colours though the image has none: channels that
        the model is shown as one picture.
    """

    key: Hashable
    plane: Plane
    volume: Any
    contrast_limits: tuple[float, float] | None = None
    colors: bool = False

    @property
    def rgb(self) -> bool:
        """Whether the pixels have colours."""
        return self.colors or self.plane.rgb

    @property
    def pixels(self) -> PlanePixels:
        """The plane's pixels, read when indexed."""
        return replace(self.plane, rgb=self.rgb).cut(self.volume)

    @property
    def window(self) -> tuple[float, float] | None:
        """Values seen as black and white. Colours keep the full range of their type."""
        if not self.rgb:
            return self.contrast_limits
        dtype = np.dtype(self.volume.dtype)
        return (0.0, float(np.iinfo(dtype).max)) if dtype.kind in "ui" else (0.0, 1.0)

    def show_to(self, predictor: ClickPredictor) -> None:
        """Have a predictor take this plane, to answer clicks on it."""
        predictor.set_image(self.pixels, contrast_limits=self.window, rgb=self.rgb, key=self.key)

    def glance(
        self, predictor: SharedPredictor, prompt: Prompt, *, encode: bool = False
    ) -> Proposals | None:
        """What a predictor would answer at a first look; see `Predictor.glance`."""
        return predictor.glance(
            self.pixels, prompt.clicks, prompt.previous, contrast_limits=self.window,
            rgb=self.rgb, key=self.key, encode=encode,
        )  # fmt: skip

    def encode_ahead(self, predictor: ClickPredictor) -> None:
        """Have a predictor do what it can for this plane, without leaving its current one."""
        predictor.prefetch(self.pixels, contrast_limits=self.window, rgb=self.rgb, key=self.key)
