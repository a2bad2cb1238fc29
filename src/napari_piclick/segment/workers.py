"""Workers: jobs done here, in several processes, or on a Dask cluster."""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from napari_piclick.segment.job import Done, do

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor, Future

    from napari_piclick.segment.job import Job


class WorkersError(RuntimeError):
    """Workers cannot be had; the message is one sentence for the user."""


def run_jobs(
    jobs: Sequence[Job],
    workers: int = 1,
    scheduler: str = "",
    progress: Callable[[], Any] | None = None,
) -> Iterator[Done]:
    """Do jobs, and tell how each ended as soon as it has.

    Parameters
    ----------
    jobs : sequence of Job
    workers : int
        Processes on this machine, which share its cores.
    scheduler : str
        Address of a Dask scheduler whose workers see the same files; "" for this machine.
    progress : callable, optional
        Called for every slice that was found; not from other processes.

    Raises
    ------
    WorkersError
        If the scheduler cannot be reached.
    """
    if not scheduler and min(workers, len(jobs)) <= 1:
        yield from (do(job, progress) for job in jobs)
        return
    left = []
    with _executor(min(workers, len(jobs)), scheduler) as executor:
        waiting = {executor.submit(do, job): job for job in jobs}
        for future in as_completed(waiting):
            done = _outcome(future, waiting[future])
            if done is None:
                left.append(waiting[future])
            else:
                yield done
    # One death ends all processes, and does not tell whose it was: the images that were not done
    # get a process each, with all the memory to itself.
    for job in left:
        with _executor(1, scheduler) as executor:
            died = f"The worker for {job.image} died, perhaps for want of memory."
            yield _outcome(executor.submit(do, job), job) or Done(job.image, error=died)


def _outcome(future: Future[Done], job: Job) -> Done | None:
    """How a job ended; None if workers died before it had."""
    try:
        return future.result()
    except BrokenExecutor:
        return None
    except Exception as error:
        said = " ".join(str(error).split())
        return Done(job.image, error=f"The worker for {job.image} failed: {said}")


@contextmanager
def _executor(workers: int, scheduler: str) -> Iterator[Executor]:
    if not scheduler:
        # Threads of all processes together as many as cores; read when a child imports torch.
        threads = os.environ.get("OMP_NUM_THREADS")
        os.environ["OMP_NUM_THREADS"] = threads or str(max((os.cpu_count() or 1) // workers, 1))
        try:
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                yield pool
        finally:
            if threads is None:
                del os.environ["OMP_NUM_THREADS"]
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise WorkersError(
            "A Dask scheduler needs dask.distributed: pip install distributed."
        ) from error
    try:
        client = Client(scheduler, timeout=30, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise WorkersError(f"No Dask scheduler answers at {scheduler}.") from error
    with client, client.get_executor(pure=False, retries=1) as executor:
        yield executor
