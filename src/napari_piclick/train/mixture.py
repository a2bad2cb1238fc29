"""The mixture: training samples drawn from several sources in fixed proportions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_piclick.train.augmentation import Augmentation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from napari_piclick.train.sample import TrainingSample
    from napari_piclick.train.scene import Scene


class Source(Protocol):
    """Anything that makes scenes."""

    def draw(self, rng: np.random.Generator) -> Scene:
        """Draw one scene; the same state of ``rng`` gives the same scene."""
        ...


class NoObjectError(ValueError):
    """Twenty pictures in a row had no object of a usable size."""


class Mixture:
    """Draws samples of one size from several sources.

    Parameters
    ----------
    sources : name -> (source, weight). Weights are relative.
    size : side of the square samples in pixels, or (height, width).
    augmentation : how much the scenes change on the way; default: all of it.
    max_masks : upper limit of masks in a sample.
    union_share : share of primary targets that are unions of touching objects; 0: none.

    Raises
    ------
    ValueError
        If there is no source, or a weight is not positive.

    Examples
    --------
    >>> mixture = Mixture.default(None, size=256)
    >>> sample = mixture.draw(np.random.default_rng(0))
    >>> sample.image.shape
    (256, 256, 3)
    """

    def __init__(
        self,
        sources: Mapping[str, tuple[Source, float]],
        size: int | tuple[int, int] = 512,
        *,
        augmentation: Augmentation | None = None,
        max_masks: int = 48,
        union_share: float = 0.06,
    ) -> None:
        if not sources:
            raise ValueError("A mixture needs at least one source of training pictures.")
        for name, (_, weight) in sources.items():
            if not weight > 0:
                raise ValueError(f"The weight of {name!r} must be above 0, but it is {weight}.")
        self.sources = dict(sources)
        self.shape = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
        self.augmentation = augmentation or Augmentation()
        self.max_masks = max_masks
        self.union_share = union_share

    @classmethod
    def default(
        cls,
        data_folder: str | Path | None,
        size: int | tuple[int, int] = 512,
        *,
        split: str = "train",
        synthetic: bool = True,
        superpixels: bool = True,
        augmentation: Augmentation | None = None,
        leave_out: Collection[str] | None = None,
    ) -> Mixture:
        """Everything found in a data folder, balanced.

        Parameters
        ----------
        data_folder : a folder with ``images/`` and ``labels/`` (or ``masks/``), of pictures
            or of volumes; or a folder of such folders. ``neurons/``, ``brain_atlas/`` and
            ``body/`` in it are known by name. None: synthetic pictures only.
        size : side of the square samples in pixels, or (height, width).
        split : ``"train"``, ``"validation"`` or ``"all"``.
        synthetic : whether synthetic pictures take part.
        superpixels : whether real pictures also get superpixels as targets.
        leave_out : names of sources that take no part. By default ``blood``, for its licence,
            unless it is the data folder itself.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist, or nothing in it can be read.
        ValueError
            If nothing is left to draw from, or there is no source of a name to leave out.
        """
        # presets know the sources, sources make what this module draws
        from napari_piclick.train.presets import LEFT_OUT, default_sources

        sources = default_sources(
            data_folder,
            split=split,
            synthetic=synthetic,
            superpixels=superpixels,
            leave_out=LEFT_OUT if leave_out is None else leave_out,
        )
        return cls(sources, size, augmentation=augmentation)

    def resized(self, size: int | tuple[int, int]) -> Mixture:
        """The same mixture for another sample size; the sources and their caches are shared."""
        return Mixture(
            self.sources,
            size,
            augmentation=self.augmentation,
            max_masks=self.max_masks,
            union_share=self.union_share,
        )

    def draw(self, rng: np.random.Generator, source: str | None = None) -> TrainingSample:
        """Draw one sample; the same state of ``rng`` gives the same sample.

        Parameters
        ----------
        source : name of the source to draw from; None draws that too.

        Raises
        ------
        NoObjectError
            If twenty pictures in a row had no object of a usable size.
        """
        names = sorted(self.sources)
        if source is None:
            weights = np.array([self.sources[name][1] for name in names])
            source = names[rng.choice(len(names), p=weights / weights.sum())]
        drawn = self.sources[source][0]
        for _ in range(20):
            scene = self.augmentation.apply(drawn.draw(rng), self.shape, rng)
            sample = scene.sample(rng, max_masks=self.max_masks, union_share=self.union_share)
            if sample is not None:
                return sample
        raise NoObjectError(
            f"Twenty pictures of {source!r} in a row had no object of a usable size. "
            "Please check that its labels are label maps and fit its pictures."
        )
