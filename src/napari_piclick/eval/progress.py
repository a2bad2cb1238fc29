"""The progress of a run: a bar that counts images, with the running mean."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from napari_piclick.eval.object_result import ImageDone, ObjectResult
    from napari_piclick.eval.record import Record


class Progress:
    """A bar on the terminal's error stream; use it as a context.

    Parameters
    ----------
    images : iterable of str
        All of the dataset.
    limit : int or None
        How many of its images are used.
    record : Record
        What is done already when the run begins.
    volume : bool
        Whether they are volumes, measured by Dice.
    """

    def __init__(
        self, images: Iterable[str], limit: int | None, record: Record, volume: bool = False
    ) -> None:
        total = len(images) if isinstance(images, Sized) else None
        if limit is not None:
            total = limit if total is None else min(limit, total)
        self._objects, self._sum = 0, 0.0
        self._bar = tqdm(
            total=total, initial=len(record.finished), unit="volume" if volume else "image"
        )
        self._mean = "mean Dice@1" if volume else "mIoU@1"
        for result in record.objects:
            self.on_object(result)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def on_object(self, result: ObjectResult) -> None:
        """Count an object's first IoU into the mean."""
        self._objects += 1
        self._sum += result.ious[0]
        mean = self._sum / self._objects
        self._bar.set_postfix_str(f"{self._objects} objects, {self._mean} {mean:.3f}")

    def on_image(self, image: ImageDone) -> None:
        """Count an image."""
        del image
        self._bar.update()
