"""The record of a run: where results are kept as they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_piclick.eval.object_result import ImageDone, ObjectResult


class Record(Protocol):
    """Where the results of a run are kept."""

    @property
    def objects(self) -> Sequence[ObjectResult]:
        """All results, in the order of the dataset."""
        ...

    @property
    def finished(self) -> frozenset[int] | set[int]:
        """Numbers of the images whose objects are all done."""
        ...

    @property
    def images(self) -> Mapping[int, str]:
        """Names of the images that something is kept of, by number."""
        ...

    @property
    def encoding_seconds(self) -> float:
        """Time that taking the finished images took."""
        ...

    def done(self, image: int) -> frozenset[int]:
        """Numbers of the objects of an image that are done."""
        ...

    def add(self, result: ObjectResult) -> None:
        """Keep the result of an object."""

    def finish(self, image: ImageDone) -> None:
        """Note that an image is done."""


class MemoryRecord:
    """Results kept in memory."""

    def __init__(self) -> None:
        self._results: dict[tuple[int, int], ObjectResult] = {}
        self.finished: set[int] = set()
        self.images: dict[int, str] = {}
        self.encoding_seconds = 0.0

    @property
    def objects(self) -> list[ObjectResult]:
        """All results, in the order of the dataset."""
        return [self._results[position] for position in sorted(self._results)]

    def done(self, image: int) -> frozenset[int]:
        """Numbers of the objects of an image that are done."""
        return frozenset(number for i, number in self._results if i == image)

    def add(self, result: ObjectResult) -> None:
        """Keep the result of an object."""
        self._results.setdefault(result.position, result)
        self.images[result.position[0]] = result.image

    def finish(self, image: ImageDone) -> None:
        """Note that an image is done."""
        self.finished.add(image.number)
        self.images[image.number] = image.image
        self.encoding_seconds += image.encoding_seconds
