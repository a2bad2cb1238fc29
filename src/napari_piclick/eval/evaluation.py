"""The evaluation: every object of a dataset clicked by the simulated annotator."""

from __future__ import annotations

from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.clicker import next_click
from napari_piclick.eval.metrics import intersection_over_union
from napari_piclick.eval.protocol import ClickProtocol
from napari_piclick.eval.results import ObjectResult, Results

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_piclick.clicks import Click
    from napari_piclick.eval.datasets.dataset import Dataset, Sample
    from napari_piclick.eval.protocol import Segmenter
    from napari_piclick.proposals import Proposals


def evaluate(
    dataset: Dataset,
    predictor: Segmenter,
    protocol: ClickProtocol | None = None,
    *,
    limit: int | None = None,
    on_object: Callable[[ObjectResult], None] | None = None,
) -> Results:
    """Measure a predictor on a dataset.

    The images are read one after the other and not kept; an image is given to the predictor once,
    then all its objects are clicked.

    Parameters
    ----------
    dataset : Dataset
        See :mod:`napari_piclick.eval.datasets`.
    predictor : Segmenter
        Anything with ``set_image`` and ``predict``, as :class:`napari_piclick.Predictor`.
    protocol : ClickProtocol, optional
        By default the model's own pick, 20 clicks, stopping at an IoU of 0.90.
    limit : int, optional
        Use only the first images, this many.
    on_object : callable, optional
        Called with the result of each object as soon as it is there, for progress displays.

    Raises
    ------
    DatasetError
        If a file of the dataset is missing or does not fit.
    """
    protocol = protocol or ClickProtocol()
    results = Results(dataset.name, getattr(predictor, "name", type(predictor).__name__), protocol)
    for stem in islice(dataset.images(), limit):
        encoding_seconds = 0.0
        for number, sample in enumerate(dataset.samples(stem)):
            if number == 0:
                start = perf_counter()
                predictor.set_image(
                    sample.image,
                    contrast_limits=sample.contrast_limits,
                    rgb=sample.image.ndim == 3,
                    key=(dataset.name, str(dataset.folder), stem),
                )
                encoding_seconds = perf_counter() - start
            result = evaluate_object(sample, predictor, protocol)
            results.add(result, encoding_seconds if number == 0 else 0.0)
            if on_object is not None:
                on_object(result)
    return results


def evaluate_object(sample: Sample, predictor: Segmenter, protocol: ClickProtocol) -> ObjectResult:
    """Click one object of the image that the predictor holds, until it is good or given up."""
    prediction = np.zeros(sample.mask.shape, bool)
    proposals: Proposals | None = None
    clicks: list[Click] = []
    ious: list[float] = []
    picked: list[int] = []
    seconds = 0.0
    threshold = float("nan")
    while len(clicks) < protocol.max_clicks:
        clicks.append(next_click(sample.mask, prediction, clicks, sample.ignore))
        start = perf_counter()
        proposals = predictor.predict(tuple(clicks), previous=proposals)
        seconds += perf_counter() - start
        if protocol.pick == "oracle":
            proposals = proposals.choose(best_proposal(proposals, sample), by="oracle")
        prediction = proposals.plane_mask()
        ious.append(intersection_over_union(sample.mask, prediction, sample.ignore))
        picked.append(proposals.chosen)
        threshold = proposals.threshold
        if ious[-1] >= protocol.target_iou:
            break
    return ObjectResult(
        sample.image_stem,
        sample.object_name,
        tuple(ious),
        tuple(clicks),
        tuple(picked),
        seconds,
        threshold,
    )


def best_proposal(proposals: Proposals, sample: Sample) -> int:
    """Index of the first proposal with the greatest IoU with the ground truth."""
    return int(
        np.argmax(
            [
                intersection_over_union(sample.mask, proposals.plane_mask(k), sample.ignore)
                for k in range(len(proposals))
            ]
        )
    )
