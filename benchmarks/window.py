"""Window: how long a user waits in a real napari window, and how long the window stands still.

Run ``xvfb-run -a python benchmarks/window.py``, or without xvfb-run where there is a display. A
stack of 1024 x 1024 slices is made here, and clicked on through the window's own mouse events.
Seconds depend on the machine; the ratio, taken within one run, compares a further click in the
window with the same question asked of the predictor alone. ``--model piclick-tiny:thorough`` asks
another model, or the same one in another mode.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import napari
import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication
from skimage.data import binary_blobs

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from first_light import click, wait_until

SIDE, SLICES = 1024, 4
FURTHER = 10


class Heartbeat:
    """Beats in the window's event loop; the longest pause is how long the window stood still."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._longest = 0.0
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(2)

    def pause(self) -> float:
        """The longest pause, in seconds, since this was asked last."""
        longest, self._longest = self._longest, 0.0
        return longest

    def _beat(self) -> None:
        now = time.perf_counter()
        self._longest, self._last = max(self._longest, now - self._last), now


def make_stack() -> np.ndarray:
    """(SLICES, SIDE, SIDE) uint8: blobs in noise."""
    noise = np.random.default_rng(0)
    blobs = [binary_blobs(SIDE, blob_size_fraction=0.05, rng=k) for k in range(SLICES)]
    return (100 * np.stack(blobs) + noise.integers(0, 100, (SLICES, SIDE, SIDE))).astype(np.uint8)


def main() -> None:
    """Click, and print what was measured."""
    parser = argparse.ArgumentParser(description="Times clicks in a real napari window.")
    parser.add_argument("--model", default="piclick-tiny")
    model = parser.parse_args().model
    viewer = napari.Viewer()
    image = viewer.add_image(make_stack())
    _, panel = viewer.window.add_plugin_dock_widget("napari-piclick", "PiClick")
    panel.controller.answers.use(model)
    viewer.window.resize(1200, 800)
    QApplication.processEvents()
    viewer.reset_view()
    session, heartbeat = panel.controller.session, Heartbeat()

    def timed_click(row: int, col: int, button: Qt.MouseButton) -> float:
        before, start = session.proposals, time.perf_counter()
        place = np.array([viewer.dims.current_step[0], row, col])
        click(viewer, image, place, button)
        if not wait_until(lambda: session.proposals not in (None, before)):
            raise RuntimeError("The click was not answered.")
        QApplication.processEvents()
        return time.perf_counter() - start

    left, right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
    heartbeat.pause()
    first = timed_click(500, 500, left)
    print(f"first mask, from the first click after the start  {first:8.3f} s")
    heartbeat.pause()
    further = [
        timed_click(480 + 13 * k, 520 + 7 * k, right if k % 2 else left) for k in range(FURTHER)
    ]
    print(f"further click, median of {FURTHER}                       {median(further):8.3f} s")
    print(f"longest standstill of the window during these     {heartbeat.pause():8.3f} s")
    start = time.perf_counter()
    viewer.dims.set_current_step(0, 1)
    QApplication.processEvents()
    print(f"going to the next slice                           {time.perf_counter() - start:8.3f} s")
    wait_until(lambda: panel.controller.answers.stage is not None, patience=1.0)
    wait_until(lambda: panel.controller.answers.stage is None)
    print(f"longest standstill while it is encoded            {heartbeat.pause():8.3f} s")
    print(f"first click there, after a rest                   {timed_click(500, 500, left):8.3f} s")

    alone = predictor_alone(model, session.clicks, image.data[1])
    print(f"the predictor alone, for a further click          {alone:8.3f} s")
    print(f"further click in the window / predictor alone     {median(further) / alone:8.2f}")
    viewer.close()


def predictor_alone(model: str, clicks: tuple, plane: np.ndarray) -> float:
    """Median seconds for the same question without a window."""
    from napari_piclick import load_predictor

    predictor = load_predictor(model)
    predictor.set_image(plane)
    previous, seconds = predictor.predict(clicks), []
    for _ in range(FURTHER):
        start = time.perf_counter()
        previous = predictor.predict(clicks, previous)
        seconds.append(time.perf_counter() - start)
    return median(seconds)


if __name__ == "__main__":
    main()
