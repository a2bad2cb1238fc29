"""Workers on a Dask cluster (``pip install napari-piclick[cluster]``)."""

from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING

from napari_piclick.eval.workers import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_piclick.eval.annotation import ImageJob
    from napari_piclick.eval.object_result import ImageDone, ObjectResult
    from napari_piclick.eval.protocol import Segmenter
    from napari_piclick.eval.workers import Work

#: Images handed out at once for each thread of the cluster: one at work and one waiting.
AHEAD = 2


class DaskCluster:
    """The workers of a Dask scheduler, which see the dataset under the same path as this process.

    An image that a lost worker had not finished is done again by another one.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.
    timeout : float
        Seconds to wait for it.
    """

    def __init__(self, address: str, timeout: float = 30) -> None:
        self.address = address
        self.timeout = timeout

    def run(self, work: Work, jobs: Iterable[ImageJob]) -> Iterator[ObjectResult | ImageDone]:
        """Give an image's results and its end as soon as it is done.

        Raises
        ------
        TypeError
            If there is no function that makes the predictor.
        WorkerError
            If the scheduler cannot be reached, or workers die again and again on an image.
        Exception
            What a worker raised.
        """
        work.check_portable()
        try:
            from distributed import Client, KilledWorker, as_completed
        except ImportError as error:
            raise WorkerError(
                "A cluster needs dask.distributed: pip install napari-piclick[cluster]."
            ) from error
        try:
            client = Client(self.address, timeout=self.timeout, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise WorkerError(f"No Dask scheduler answers at {self.address}.") from error
        with client:
            # Sent with each image rather than scattered, so that no worker's loss loses it.
            portable = pickle.dumps(work)
            todo = iter(jobs)

            def submit() -> list[object]:
                job = next(todo, None)
                return [] if job is None else [client.submit(_do, portable, job, pure=False)]

            ahead = AHEAD * max(sum(client.nthreads().values()), 1)
            first = [future for _ in range(ahead) for future in submit()]
            waiting = as_completed(first, loop=client.loop)
            for future in waiting:
                try:
                    events = future.result()
                except KilledWorker as error:
                    raise WorkerError(
                        "Workers of the cluster died again and again on the same image, perhaps "
                        f"for want of memory: {error}"
                    ) from error
                yield from events
                for following in submit():
                    waiting.add(following)


#: A thread's predictor, by the work it is for: making one for every image would take too long.
_MADE = threading.local()


def _do(portable: bytes, job: ImageJob) -> list[ObjectResult | ImageDone]:
    """Do one image; this runs in a thread of a worker."""
    work: Work = pickle.loads(portable)
    if getattr(_MADE, "key", None) != portable:
        _MADE.predictor = None  # let go of the last one before the next is made
        _MADE.predictor, _MADE.key = work.make_predictor(), portable
    predictor: Segmenter = _MADE.predictor
    return list(work.annotate(job, predictor))
