"""Bootstrap over images: how far a mean over objects may be off by the choice of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: How often the images are drawn anew.
RESAMPLES = 2000
#: Intervals hold this share of the resampled means.
LEVEL = 0.95

_SEED = 20230422
_AT_ONCE = 200


def confidence_intervals(
    values: np.ndarray, images: Sequence[int] | np.ndarray, resamples: int = RESAMPLES
) -> np.ndarray:
    """Confidence interval of the mean over objects of each measure.

    Objects of one image are alike, so whole images are drawn, with replacement, as many as there
    are; the bounds are percentiles of the means. The draws are the same in every run.

    Parameters
    ----------
    values : (N, M) of N objects by M measures.
    images : (N,) number of each object's image.
    resamples : how often to draw.

    Returns
    -------
    (2, M) lower and upper bounds.
    """
    means = np.concatenate(list(_resampled_means(values, images, resamples)))
    tail = 50 * (1 - LEVEL)
    bounds: np.ndarray = np.percentile(means, (tail, 100 - tail), axis=0)
    return bounds


def share_above_zero(
    differences: np.ndarray, images: Sequence[int] | np.ndarray, resamples: int = RESAMPLES
) -> np.ndarray:
    """(M,) share of the resampled means of (N, M) paired differences that are above zero.

    A mean of exactly zero counts half.
    """
    means = np.concatenate(list(_resampled_means(differences, images, resamples)))
    shares: np.ndarray = (means > 0).mean(axis=0) + 0.5 * (means == 0).mean(axis=0)
    return shares


def _resampled_means(
    values: np.ndarray, images: Sequence[int] | np.ndarray, resamples: int
) -> Iterator[np.ndarray]:
    values = np.asarray(values, float)
    _, image = np.unique(np.asarray(images), return_inverse=True)
    count = int(image.max()) + 1
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, image, values)
    sizes = np.bincount(image, minlength=count)
    generator = np.random.default_rng(_SEED)
    for start in range(0, resamples, _AT_ONCE):
        draws = min(_AT_ONCE, resamples - start)
        # How often each image is in each draw; every image has an object, so no draw is empty.
        times = generator.multinomial(count, np.full(count, 1 / count), size=draws)
        yield (times @ sums) / (times @ sizes)[:, None]
