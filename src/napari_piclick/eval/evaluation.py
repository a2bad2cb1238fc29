"""The evaluation: every object of a dataset clicked by the simulated annotator."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from napari_piclick.eval.annotation import ImageJob
from napari_piclick.eval.journal import JournalError
from napari_piclick.eval.object_result import ObjectResult
from napari_piclick.eval.protocol import ClickProtocol
from napari_piclick.eval.record import MemoryRecord
from napari_piclick.eval.results import Results
from napari_piclick.eval.workers import Serial, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from napari_piclick.eval.datasets.dataset import Dataset
    from napari_piclick.eval.object_result import ImageDone
    from napari_piclick.eval.protocol import Segmenter
    from napari_piclick.eval.record import Record
    from napari_piclick.eval.workers import Workers

_CHANGED = (
    "The images have changed since this run began; name another output or delete the journal."
)


def evaluate(
    dataset: Dataset,
    predictor: Segmenter | Callable[[], Segmenter],
    protocol: ClickProtocol | None = None,
    *,
    limit: int | None = None,
    workers: Workers | None = None,
    record: Record | None = None,
    name: str | None = None,
    on_object: Callable[[ObjectResult], None] | None = None,
    on_image: Callable[[ImageDone], None] | None = None,
) -> Results:
    """Measure a predictor on a dataset.

    The images are read one after the other and not kept; an image is given to the predictor once,
    then all its objects are clicked.

    Parameters
    ----------
    dataset : Dataset
        See :mod:`napari_piclick.eval.datasets`.
    predictor : Segmenter, or function that makes one
        Anything with ``set_image`` and ``predict``, as :class:`napari_piclick.Predictor`.
        Workers need a function without arguments that can be pickled and makes the predictor
        where they run, such as a :class:`napari_piclick.eval.ModelSpec`.
    protocol : ClickProtocol, optional
        By default the model's own pick, 20 clicks, stopping at an IoU of 0.90.
    limit : int, optional
        Use only the first images (of volumes in 3D: the first volumes), this many.
    workers : Workers, optional
        Who clicks: `Processes` on this machine or `DaskCluster`; without, this process. The
        results are the same, in the same order, but for the times.
    record : Record, optional
        Where results are kept while the run goes on; with a `Journal` in a file they survive a
        kill, and what it holds already is not done again. Without, in memory.
    name : str, optional
        What the model is called in the results; its own ``name`` if left out.
    on_object, on_image : callable, optional
        Called as soon as an object, or an image with all its objects, is done, in the order in
        which that happens; for progress displays.

    Raises
    ------
    DatasetError
        If a file of the dataset is missing or does not fit.
    JournalError
        If the record's images are no longer those of the dataset.
    TypeError
        If there are workers, but no function that makes predictors.
    """
    protocol = protocol or ClickProtocol()
    record = record if record is not None else MemoryRecord()
    work = Work(dataset, predictor, protocol)
    images = dataset.volumes() if protocol.volume else dataset.images()
    for event in (workers or Serial()).run(work, _jobs(images, limit, record)):
        if isinstance(event, ObjectResult):
            record.add(event)
            if on_object is not None:
                on_object(event)
        else:
            record.finish(event)
            if on_image is not None:
                on_image(event)
    return Results(
        dataset.name,
        name or str(getattr(predictor, "name", type(predictor).__name__)),
        protocol,
        record.objects,
        record.encoding_seconds,
    )


def _jobs(images: Iterable[str], limit: int | None, record: Record) -> Iterator[ImageJob]:
    """The images that are still to be done, with the objects on them that are done already.

    Results are kept by the image's number, so each must still be where it was. All images are
    not compared before the first is done, as some datasets find theirs by reading volumes.
    """
    kept = dict(record.images)
    for number, stem in enumerate(islice(images, limit)):
        if kept.pop(number, stem) != stem:
            raise JournalError(_CHANGED)
        if number not in record.finished:
            yield ImageJob(number, stem, record.done(number))
    if kept:
        raise JournalError(_CHANGED)
