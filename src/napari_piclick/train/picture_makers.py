"""Picture makers: processes that make training pictures ahead of the loop."""

from __future__ import annotations

import multiprocessing
import warnings
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.sharedctypes import Synchronized
    from types import TracebackType

    from napari_piclick.train.picture_store import PictureStore
    from napari_piclick.train.schedule import Schedule

#: Pictures are made this many steps ahead.
AHEAD = 64


class PictureMakers:
    """Keeps the picture store filled; a context manager.

    Parameters
    ----------
    open_store : callable
        Opens the store in another process; it is pickled on the way there.
    store : PictureStore
        The same store in this process.
    schedule : Schedule
    first_step : int
        The step the loop begins with.
    workers : int
        Number of processes; with none, the loop makes its pictures itself.
    """

    def __init__(
        self,
        open_store: Callable[[], PictureStore],
        store: PictureStore,
        schedule: Schedule,
        first_step: int,
        workers: int = 1,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._step = context.Value("q", first_step)
        self._processes = [
            context.Process(
                target=_make_pictures,
                args=(open_store, schedule, self._step, k, workers),
                daemon=True,
            )
            for k in range(workers)
        ]
        self._store, self._schedule, self._oldest = store, schedule, 0

    def __enter__(self) -> PictureMakers:
        for process in self._processes:
            process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.terminate()
            process.join()

    def reached(self, step: int) -> None:
        """Tell the makers which step was done, and delete pictures no step will use again."""
        self._step.value = step
        if self._processes and not all(process.is_alive() for process in self._processes):
            warnings.warn(
                "A process that makes pictures has stopped; the rest are made in the loop, slower.",
                stacklevel=2,
            )
            self._processes = []
        oldest = self._schedule.pictures(step).start
        for index in range(self._oldest, oldest):
            self._store.discard(index)
        self._oldest = oldest


def _make_pictures(
    open_store: Callable[[], PictureStore],
    schedule: Schedule,
    step: Synchronized[int],
    offset: int,
    stride: int,
) -> None:
    torch.set_num_threads(1)
    store = open_store()
    index = schedule.pictures(step.value).start
    index += (offset - index) % stride
    while not _left_alone():
        if index >= schedule.pictures(step.value + AHEAD).stop:
            _left_alone(0.2)
            continue
        if index >= schedule.pictures(step.value).start:
            store.make(index)
        index += stride


def _left_alone(seconds: float = 0) -> bool:
    """Whether the process that trains has ended within this time: a killed one cannot say so."""
    parent = multiprocessing.parent_process()
    return parent is not None and bool(wait([parent.sentinel], seconds))
