"""Runs in several processes, on a cluster, and killed at any moment: always the same results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from napari_piclick.eval import (
    ClickProtocol,
    DaskCluster,
    DatasetError,
    Journal,
    ModelSpec,
    Processes,
    evaluate,
    open_dataset,
)
from napari_piclick.eval.workers import WorkerError

#: A predictor that can be imported in other processes. It tells a file of every object it begins,
#: and may be slow, or kill its process once (or always) at an object of its choice.
MODULE = textwrap.dedent(
    """
    import os, signal, time
    from pathlib import Path
    import numpy as np
    from scipy.ndimage import binary_dilation
    from napari_piclick.proposals import Proposals
    from napari_piclick.region import Region

    class Grower:
        name = "grower"

        def __init__(self, log, seconds, dies):
            self.log, self.seconds, self.dies = Path(log), float(seconds), dies

        def set_image(self, image, *, contrast_limits=None, rgb=None, key=None):
            self.image, self.key = image, key

        def predict(self, clicks, previous=None):
            time.sleep(self.seconds)
            first = clicks[0]
            if len(clicks) == 1:
                with self.log.open("a") as file:
                    file.write(f"{self.key[-1]} {first.row} {first.col}\\n")
            if len(clicks) == 3 and self.dies and self.key[-1] == "2":
                mark = self.log.with_suffix(".died")
                if self.dies == "always" or not mark.exists():
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
            seed = np.zeros(self.image.shape, bool)
            seed[first.row, first.col] = True
            masks = np.stack([
                binary_dilation(seed, iterations=k + 2 * len(clicks)) for k in range(3)
            ]).astype(np.float32)
            scores = np.array([0.8, 0.7, 0.6], np.float32)
            shape = self.image.shape
            return Proposals(masks, Region.whole(shape), shape, scores, scores)

    def make(folder, seconds="0", dies=""):
        return Grower(Path(folder) / "log", seconds, dies)
    """
)

PROTOCOL = ClickProtocol(max_clicks=6)


@pytest.fixture
def data(tmp_path):
    """Five pictures with three or four squares of several sizes; the fourth has none."""
    folder = tmp_path / "data"
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for number in range(5):
        labels = np.zeros((60, 70), np.uint8)
        for k in range(0 if number == 3 else 3 + number % 2):
            side = 9 + 2 * k + number
            row, col = 2 + 30 * (k // 2), 3 + 32 * (k % 2)
            labels[row : row + side, col : col + side] = k + 1
        Image.fromarray(labels * 20).save(folder / "images" / f"{number}.png")
        Image.fromarray(labels).save(folder / "labels" / f"{number}.png")
    return open_dataset("folder", folder)


@pytest.fixture
def grower(tmp_path, monkeypatch):
    """Makes specs of the predictor above; `log` is the file of what it began."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "grower_model.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(modules))
    monkeypatch.setenv("PYTHONPATH", str(modules), prepend=os.pathsep)

    def spec(*options):
        return ModelSpec("grower_model:make", arguments=(str(tmp_path), *options))

    spec.log = tmp_path / "log"
    return spec


def untimed(results):
    """All that must not depend on who did it."""
    return [
        {key: value for key, value in result.to_dict().items() if key != "seconds"}
        for result in results.objects
    ]


@pytest.fixture
def expected(data, grower):
    results = evaluate(data, grower(), PROTOCOL, name="grower_model:make")
    assert len(results.objects) == 13
    grower.log.unlink()
    return results


def test_processes_give_what_one_gives(data, grower, expected):
    results = evaluate(data, grower(), PROTOCOL, workers=Processes(2))
    assert untimed(results) == untimed(expected)
    assert results.encoding_seconds > 0


def test_a_killed_worker_is_replaced_and_nothing_finished_is_done_again(data, grower, expected):
    seen = []
    results = evaluate(
        data, grower("0", "once"), PROTOCOL, workers=Processes(2), on_object=seen.append
    )
    assert untimed(results) == untimed(expected)
    assert len(seen) == len(expected.objects)
    # Only the object at which it died was begun twice.
    assert len(grower.log.read_text().splitlines()) == len(expected.objects) + 1


def test_an_image_that_kills_every_worker_ends_the_run(data, grower):
    with pytest.raises(WorkerError, match=r"image 2 .*exit code -9"):
        evaluate(data, grower("0", "always"), PROTOCOL, workers=Processes(1))


def test_what_a_worker_raises_is_raised(data, grower):
    (data.folder / "images" / "4.png").write_bytes(b"no")
    with pytest.raises(DatasetError, match=r"4\.png cannot be read"):
        evaluate(data, grower(), PROTOCOL, workers=Processes(2))
    with pytest.raises(ValueError, match="cannot be called so"):
        evaluate(data, grower("0", "", "too many"), PROTOCOL, workers=Processes(1))


def test_workers_need_to_make_their_own_predictors(data, scripted_predictor):
    for workers in (Processes(1), DaskCluster("tcp://127.0.0.1:1")):
        with pytest.raises(TypeError, match="function that makes the predictor"):
            evaluate(data, scripted_predictor(), workers=workers)


def command(data, grower, output, *options, seconds="0"):
    return [
        sys.executable, "-m", "napari_piclick.eval", "--dataset", "folder",
        "--data", str(data.folder), "--max-clicks", "6", "--model", "grower_model:make",
        "--model-arg", str(grower.log.parent), "--model-arg", seconds,
        "--output", str(output), *options,
    ]  # fmt: skip


def read(output):
    values = json.loads(output.read_text())
    del values["summary"]["seconds_per_click"]
    return values


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_run_goes_on_where_it_was(data, grower, expected, tmp_path, workers):
    output = tmp_path / "out.json"
    journal = tmp_path / "out.json.journal"
    # Slow enough to be caught in the middle.
    start = command(data, grower, output, "--workers", workers, seconds="0.1")
    process = subprocess.Popen(start, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not journal.is_file() or len(journal.read_text().splitlines()) < 4:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not output.exists()
    done = journal.read_text().count('"result"')
    assert 0 < done < len(expected.objects)
    wait_for_the_end_of(process.pid)
    begun = grower.log.read_text().splitlines()
    # What was at work when it was killed is lost: at most one object for each worker.
    assert done <= len(begun) <= done + 2 * int(workers)
    finished = subprocess.run(
        start, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    again = grower.log.read_text().splitlines()[len(begun) :]
    assert len(set(again)) == len(again) == len(expected.objects) - done
    assert not journal.exists()
    straight = tmp_path / "straight.json"
    expected.write_json(straight)
    assert read(output) == read(straight)


def wait_for_the_end_of(group):
    """Wait until no process of a killed parent's group is left: workers leave when it is gone."""
    deadline = time.monotonic() + 60
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.05)
        raise AssertionError("Workers did not leave.")


def test_the_journal_of_another_run_is_refused(data, grower, tmp_path):
    output = tmp_path / "out.json"
    with Journal(tmp_path / "out.json.journal", {"dataset": "sstem"}):
        pass
    done = subprocess.run(
        command(data, grower, output),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert "belongs to a run with dataset 'sstem', not 'folder'" in sentence
    assert (tmp_path / "out.json.journal").is_file()


@pytest.fixture
def cluster(grower):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def test_a_cluster_gives_the_same_even_if_a_worker_is_killed(data, grower, expected, cluster):
    pids = [worker.pid for worker in cluster.workers.values()]
    killed = []

    def kill_one(result):
        if not killed:
            os.kill(pids[0], signal.SIGKILL)
            killed.append(result)

    results = evaluate(
        data,
        grower("0.02"),
        PROTOCOL,
        workers=DaskCluster(cluster.scheduler_address),
        on_object=kill_one,
    )
    assert killed
    assert untimed(results) == untimed(expected)


def test_on_a_cluster_the_parent_and_then_a_worker_may_be_killed(
    data, grower, expected, cluster, tmp_path
):
    output = tmp_path / "out.json"
    journal = tmp_path / "out.json.journal"
    where = ("--scheduler", cluster.scheduler_address)
    start = command(data, grower, output, *where, seconds="0.1")

    def run_until(objects):
        process = subprocess.Popen(start, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not journal.is_file() or journal.read_text().count('"result"') < objects:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return process

    process = run_until(1)
    process.kill()
    process.wait()
    done = journal.read_text().count('"result"')
    assert 0 < done < len(expected.objects)
    process = run_until(done)
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
    assert process.wait(timeout=120) == 0
    assert not journal.exists()
    straight = tmp_path / "straight.json"
    expected.write_json(straight)
    assert read(output) == read(straight)


def test_no_scheduler_is_said(data, grower):
    pytest.importorskip("distributed")
    with pytest.raises(WorkerError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:1\."):
        evaluate(data, grower(), workers=DaskCluster("tcp://127.0.0.1:1", timeout=0.5))
