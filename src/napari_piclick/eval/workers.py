"""Who clicks: this process, several processes of this machine, or a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from napari_piclick.eval.annotation import annotate_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from napari_piclick.eval.annotation import ImageJob
    from napari_piclick.eval.datasets.dataset import Dataset
    from napari_piclick.eval.object_result import ImageDone, ObjectResult
    from napari_piclick.eval.protocol import ClickProtocol, Segmenter


class WorkerError(RuntimeError):
    """Workers cannot be had or do not survive; the message is one sentence for the user."""


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """What is to be done with every image.

    Parameters
    ----------
    dataset : Dataset
    predictor : Segmenter, or function that makes one
    protocol : ClickProtocol
    """

    dataset: Dataset
    predictor: Segmenter | Callable[[], Segmenter]
    protocol: ClickProtocol

    def make_predictor(self) -> Segmenter:
        """The predictor, made if it is not one yet."""
        if hasattr(self.predictor, "predict"):
            return cast("Segmenter", self.predictor)
        return self.predictor()

    def annotate(self, job: ImageJob, predictor: Segmenter) -> Iterator[ObjectResult | ImageDone]:
        """Click the objects of an image, or of a volume, that are not done."""
        if self.protocol.volume:
            from napari_piclick.eval.volume_annotation import annotate_volume

            return annotate_volume(self.dataset, job, predictor, self.protocol)
        return annotate_image(self.dataset, job, predictor, self.protocol)

    def check_portable(self) -> None:
        """Make sure that the predictor can be made elsewhere.

        Raises
        ------
        TypeError
            If it is one already.
        """
        if hasattr(self.predictor, "predict"):
            raise TypeError(
                "Workers need a function that makes the predictor where they run (such as a "
                "ModelSpec), not a predictor."
            )


class Workers(Protocol):
    """Do images, in any order and any number at once."""

    def run(self, work: Work, jobs: Iterable[ImageJob]) -> Iterator[ObjectResult | ImageDone]:
        """Give each object's result as soon as it is there, and each image's end after those."""
        ...


class Serial:
    """One image after the other in the process that asks."""

    def run(self, work: Work, jobs: Iterable[ImageJob]) -> Iterator[ObjectResult | ImageDone]:
        """Give each object's result as soon as it is there, and each image's end after those."""
        predictor = work.make_predictor()
        for job in jobs:
            yield from work.annotate(job, predictor)
