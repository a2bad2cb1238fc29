"""Workers on one machine: processes that each hold a predictor and do one image after the other."""

from __future__ import annotations

import pickle
import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from napari_piclick.eval.annotation import ImageJob
from napari_piclick.eval.object_result import ImageDone, ObjectResult
from napari_piclick.eval.workers import Work, WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.context import SpawnProcess

#: An image is given up when this many workers in a row died on it without an object done.
MAX_DEATHS = 3

# Fresh interpreters: copies of a process that holds torch's threads may hang.
_CONTEXT = get_context("spawn")


class Processes:
    """A number of processes; when one is killed, another one does what it had not finished.

    Parameters
    ----------
    count : int
        How many.
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"At least one worker is needed, not {count}.")
        self.count = count

    def run(self, work: Work, jobs: Iterable[ImageJob]) -> Iterator[ObjectResult | ImageDone]:
        """Give each object's result as soon as it is there, and each image's end after those.

        Raises
        ------
        TypeError
            If there is no function that makes the predictor.
        WorkerError
            If one worker after the other dies on the same image.
        Exception
            What a worker raised.
        """
        work.check_portable()
        todo, returned = iter(jobs), deque[ImageJob]()
        team: list[_Worker] = []
        try:
            while True:
                while len(busy := [worker for worker in team if worker.job]) < self.count:
                    job = returned.popleft() if returned else next(todo, None)
                    if job is None:
                        break
                    free = next((worker for worker in team if worker.job is None), None)
                    if free is None:
                        free = _Worker.start(work)
                        team.append(free)
                    free.give(job)
                if not busy:
                    return
                for connection in wait([worker.connection for worker in busy]):
                    worker = next(w for w in busy if w.connection is connection)
                    event = worker.receive()
                    if event is None:
                        team.remove(worker)
                        returned.append(worker.unfinished())
                    else:
                        yield event
        finally:
            for worker in team:
                worker.stop()


@dataclass
class _Worker:
    """A process as its parent sees it."""

    process: SpawnProcess
    connection: Connection
    job: ImageJob | None = None

    @classmethod
    def start(cls, work: Work) -> _Worker:
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_serve, args=(theirs, work), daemon=True)
        process.start()
        theirs.close()  # so that the end of the process is the end of the connection
        return cls(process, ours)

    def give(self, job: ImageJob) -> None:
        self.job = job
        # Should it be dead, that shows when its answer is awaited.
        with suppress(OSError):
            self.connection.send(job)

    def receive(self) -> ObjectResult | ImageDone | None:
        """What the process has to tell; None if it died."""
        assert self.job is not None
        try:
            event = self.connection.recv()
        except (EOFError, OSError):
            return None
        if isinstance(event, _Failure):
            raise event.error
        if isinstance(event, ImageDone):
            self.job = None
        else:
            self.job = replace(self.job, done=self.job.done | {event.position[1]}, deaths=0)
        return event

    def unfinished(self) -> ImageJob:
        """What a dead process has left undone."""
        assert self.job is not None
        self.process.join()
        self.connection.close()
        job = replace(self.job, deaths=self.job.deaths + 1)
        if job.deaths >= MAX_DEATHS:
            raise WorkerError(
                f"{MAX_DEATHS} workers died one after the other on the image {job.image} (exit "
                f"code {self.process.exitcode}), perhaps for want of memory; use fewer --workers."
            )
        return job

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()
        self.connection.close()


@dataclass
class _Failure:
    """An exception that a worker could not deal with."""

    error: Exception


def _serve(connection: Connection, work: Work) -> None:
    """What a worker does until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to handle
    with suppress(EOFError, BrokenPipeError):
        try:
            predictor = work.make_predictor()
            while True:
                job = connection.recv()
                for event in work.annotate(job, predictor):
                    connection.send(event)
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:
            connection.send(_Failure(_portable(error)))


def _portable(error: Exception) -> Exception:
    """The exception if it survives the journey, or else one with the same message."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
