"""The validation set: held-out pictures and fixed synthetic ones, always the same."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.train.augmentation import Augmentation
from napari_piclick.train.mixture import Mixture, NoObjectError
from napari_piclick.train.presets import LEFT_OUT, default_sources

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from napari_piclick.train.sample import TrainingSample

SEED = 20240917
"""Fixed for good, so that scores of different runs can be compared."""


def validation_mixture(
    data_folder: str | Path | None,
    size: int | tuple[int, int] = 512,
    *,
    synthetic: bool = True,
    leave_out: Collection[str] = LEFT_OUT,
) -> Mixture:
    """Held-out pictures, and synthetic ones, whole and unchanged, with annotated targets only.

    One picture in eight of each collection is held out by its name, and the last fifth of the
    neurons' sections; synthetic sources differ from training by their seed. Collections of a
    single volume that trains are not among them.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist, or nothing in it can be read.
    ValueError
        If there is no source of a name to leave out.
    """
    sources = default_sources(
        data_folder,
        split="validation",
        synthetic=synthetic,
        superpixels=False,
        leave_out=leave_out,
    )
    return Mixture(sources, size, augmentation=Augmentation.none(), max_masks=64, union_share=0)


def validation_samples(
    data_folder: str | Path | None,
    size: int | tuple[int, int] = 512,
    *,
    per_source: int = 16,
    synthetic: bool = True,
    leave_out: Collection[str] = LEFT_OUT,
) -> Mapping[str, list[TrainingSample]]:
    """The validation set.

    Parameters
    ----------
    data_folder : see ``Mixture.default``.
    size : side of the square samples in pixels, or (height, width).
    per_source : number of samples of each source; fewer come back where fewer pictures are
        held out.
    synthetic : whether synthetic pictures are among them.
    leave_out : see ``Mixture.default``.

    Returns
    -------
    source name -> samples; the same for every call with the same arguments, and the first
    samples are the same for every ``per_source``. A source whose held-out pictures show no
    object of a usable size is left out.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist, or nothing in it can be read.
    ValueError
        If every source is left out.
    """
    mixture = validation_mixture(data_folder, size, synthetic=synthetic, leave_out=leave_out)
    found = {name: _different(mixture, name, per_source) for name in sorted(mixture.sources)}
    found = {name: samples for name, samples in found.items() if samples}
    if not found:
        raise ValueError(
            "No picture that is held out for validation shows an object of a usable size; add "
            "pictures with larger objects, or keep the last weights with --validate 0."
        )
    return found


def _different(mixture: Mixture, source: str, count: int) -> list[TrainingSample]:
    """Up to ``count`` samples of a source, no two of the same picture."""
    found: dict[bytes, TrainingSample] = {}
    for number in range(4 * count):
        rng = np.random.default_rng((SEED, zlib.crc32(source.encode()), number))
        try:
            sample = mixture.draw(rng, source)
        except NoObjectError:  # too few of its pictures show one to go on looking
            break
        found.setdefault(sample.image.tobytes(), sample)
        if len(found) == count:
            break
    return list(found.values())
