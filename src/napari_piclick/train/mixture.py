"""The mixture: training samples drawn from several sources in fixed proportions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_piclick.train.sample import TrainingSample


class Mixture:
    """Draws samples of one size from several sources.

    Parameters
    ----------
    sources : name -> (source, weight); a source has ``draw(rng) -> Scene``.
    size : side of the square samples in pixels, or (height, width).
    """

    def __init__(self, sources: Mapping[str, tuple[object, float]], size: int | tuple[int, int]):
        raise ValueError("Being written.")

    @classmethod
    def default(
        cls,
        data_folder: str | Path | None,
        size: int | tuple[int, int] = 512,
        *,
        split: str = "train",
        synthetic: bool = True,
    ) -> Mixture:
        """Everything found in ``data_folder`` (None: synthetic pictures only), balanced."""
        raise ValueError("Being written.")

    def draw(self, rng: np.random.Generator) -> TrainingSample:
        """Draw one sample; the same state of ``rng`` gives the same sample."""
        raise ValueError("Being written.")
