"""A volume larger than memory should hold: opened, clicked on and propagated in a real window.

A volume of 4 GB is made in a temporary folder, full of holes so that it takes no room on the disk
but for the slices around its middle, which hold a ball in noise; it is shown as a memory map, a
dask array or a zarr array, and deleted afterwards. Memory is that of the process (anonymous pages:
what cannot be given back), above what it was with the window open and the model loaded.

    xvfb-run -a python benchmarks/large_volume.py --kind memmap
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

#: 4 GiB of 16 bits.
SHAPE = (2048, 1024, 1024)
#: Slices that hold something, and the radius of the ball.
FILLED, RADIUS = 60, 120


def memory() -> float:
    """Anonymous memory of this process in MB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return float("nan")


def planes() -> dict[int, np.ndarray]:
    """The slices that are not empty."""
    random = np.random.default_rng(0)
    rows, cols = np.ogrid[: SHAPE[1], : SHAPE[2]]
    middle = SHAPE[0] // 2
    made = {}
    for index in range(middle - FILLED // 2, middle + FILLED // 2):
        far = (rows - 512) ** 2 + (cols - 512) ** 2 + (4 * (index - middle)) ** 2
        plane = random.normal(300, 40, SHAPE[1:]) + 500 * (far < RADIUS**2)
        made[index] = plane.clip(0, 65535).astype(np.uint16)
    return made


def open_volume(kind: str, folder: Path) -> Any:
    """The volume as an array that reads what is asked for."""
    if kind == "zarr":
        import zarr

        array = zarr.open(
            str(folder / "volume.zarr"), mode="w", shape=SHAPE, chunks=(1, *SHAPE[1:]), dtype="u2"
        )
        for index, plane in planes().items():
            array[index] = plane
        return array
    path = folder / "volume.raw"
    file = np.memmap(path, np.uint16, "w+", shape=SHAPE)
    for index, plane in planes().items():
        file[index] = plane
    file.flush()
    mapped = np.memmap(path, np.uint16, "r", shape=SHAPE)
    if kind == "dask":
        import dask.array

        return dask.array.from_array(mapped, chunks=(1, *SHAPE[1:]))
    return mapped


def measure(kind: str, folder: Path) -> None:
    """Open, click and propagate, and print what it took."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_piclick._qt.widget import PiClickWidget
    from napari_piclick.session.stopping import Rules

    def until(ready: Callable[[], bool], limit: float = 200) -> None:
        end = perf_counter() + limit
        while not ready():
            if perf_counter() > end:
                raise TimeoutError("It took too long.")
            QApplication.processEvents()
            sleep(0.005)

    volume = open_volume(kind, folder)
    viewer = napari.Viewer(show=True)
    panel = PiClickWidget(viewer)
    viewer.window.add_dock_widget(panel, name="PiClick")
    controller = panel.controller
    until(lambda: controller.answers.device is not None)
    before = memory()
    began = perf_counter()
    viewer.add_image(volume, name="large", contrast_limits=(0, 1000))
    middle = SHAPE[0] // 2
    viewer.dims.set_current_step(0, middle)
    controller.session.click(512, 512)
    until(lambda: controller.session.proposals is not None)
    first = perf_counter() - began
    controller.accept()
    clicked = memory() - before
    began = perf_counter()
    controller.volume.propagate((1, -1), Rules(max_slices=15))
    most = 0.0

    def done() -> bool:
        nonlocal most
        most = max(most, memory() - before)
        return not controller.volume.running

    until(done)
    count = len(controller.volume.selected.followed.slices) - 1  # type: ignore[union-attr]
    print(f"{kind}: from opening to the first mask {first:.2f} s")
    print(f"{kind}: memory above the window's own {clicked:.0f} MB after the click, "
          f"{most:.0f} MB at most while propagating")  # fmt: skip
    print(f"{kind}: {count} slices propagated, {count / (perf_counter() - began):.2f} a second")
    viewer.close()


def main() -> None:
    """Measure one kind of array."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=("memmap", "dask", "zarr"), default="memmap")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="piclick-large-") as folder:
        measure(options.kind, Path(folder))


if __name__ == "__main__":
    main()
