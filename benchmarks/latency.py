"""Latency: how long a user waits for the first mask, for each further click, for a new plane.

Run ``python benchmarks/latency.py``. The picture is made here: 1024 x 1024, blobs in noise. The
clicks are the simulated annotator's. Seconds depend on the machine; the ratios, all taken within
one run, much less. "First mask" is measured in fresh processes, from the start of the process
and from the click (model loaded, plane encoded and click answered, all because of that click).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.data import binary_blobs
from skimage.measure import label

if TYPE_CHECKING:
    from napari_piclick import Click, Predictor

SIDE = 1024
REPEATS = 5

#: What a fresh process does until the first mask is there; it reports its own phases.
FIRST_MASK = """
import json, sys
from time import perf_counter
sys.path.insert(0, sys.argv[1])
from latency import make_picture
image, truth = make_picture()
from napari_piclick.eval.clicker import next_click
click = next_click(truth, truth & False)
start = perf_counter()
from napari_piclick import load_predictor
imported = perf_counter()
predictor = load_predictor(sys.argv[2])
loaded = perf_counter()
predictor.set_image(image)
mask = predictor.predict([click]).plane_mask()
done = perf_counter()
assert mask.shape == image.shape
print(json.dumps({
    "import of torch and the predictor": imported - start,
    "loading the weights": loaded - imported,
    "encoding what is around the click, and answering it": done - loaded,
    "first mask, from the click": done - start,
}))
"""

IMPORT = """
from time import perf_counter
start = perf_counter()
import napari_piclick
print(perf_counter() - start)
"""


def make_picture() -> tuple[np.ndarray, np.ndarray]:
    """A (1024, 1024) uint8 picture of gray blobs in noise, and one blob's mask."""
    blobs = binary_blobs(SIDE, blob_size_fraction=0.08, volume_fraction=0.3, rng=0)
    noise = np.random.default_rng(0).normal(0, 12, blobs.shape)
    image = np.clip(gaussian_filter(blobs * 90.0 + 70, 2) + noise, 0, 255).astype(np.uint8)
    components = label(blobs, connectivity=1)
    sizes = np.bincount(components.ravel())[1:]
    # Of middle size: neither a speck nor several blobs grown together.
    return image, components == 1 + int(np.argsort(sizes)[len(sizes) // 2])


def fresh_process(program: str, *arguments: str) -> tuple[str, float]:
    """Output of a program in a new interpreter, and its whole time in seconds."""
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout, perf_counter() - start


def time_new_planes(predictor: Predictor, image: np.ndarray, truth: np.ndarray) -> float:
    """Median seconds to the first mask on a plane not seen before; the first one only warms up.

    A plane is encoded when it is first clicked, and only what is around the click.
    """
    from napari_piclick.eval.clicker import next_click

    click = next_click(truth, np.zeros_like(truth))
    seconds = []
    for number in range(REPEATS + 1):
        start = perf_counter()
        predictor.set_image(image, key=("plane", predictor.framing.long_side, number))
        predictor.predict([click])
        seconds.append(perf_counter() - start)
    return median(seconds[1:])


def time_clicks(predictor: Predictor, truth: np.ndarray, count: int) -> float:
    """Median seconds of a click after the first, on the plane the predictor holds."""
    from napari_piclick.eval.clicker import next_click

    clicks: list[Click] = []
    prediction, proposals = np.zeros_like(truth), None
    seconds = []
    for _ in range(count + 1):
        clicks.append(next_click(truth, prediction, clicks))
        start = perf_counter()
        proposals = predictor.predict(clicks, previous=proposals)
        prediction = proposals.plane_mask()
        seconds.append(perf_counter() - start)
    return median(seconds[1:])


def show(name: str, seconds: float) -> None:
    """Print one line of the table."""
    print(f"  {name:<52}{seconds * 1000:>9.1f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="piclick-tiny")
    parser.add_argument("--clicks", type=int, default=10, help="further clicks (default: 10)")
    parser.add_argument(
        "--long-sides",
        type=int,
        nargs="+",
        default=[512, 768, 1024],
        help="input sizes of the network to compare (default: 512 768 1024)",
    )
    options = parser.parse_args()

    print("Fresh processes")
    show("import napari_piclick", median(float(fresh_process(IMPORT)[0]) for _ in range(REPEATS)))
    here = str(Path(__file__).resolve().parent)
    runs = [fresh_process(FIRST_MASK, here, options.model) for _ in range(3)]
    phases = [json.loads(output) for output, _ in runs]
    for name in phases[0]:
        show(name, median(phase[name] for phase in phases))
    show("first mask, from the start of the process", median(total for _, total in runs))

    from napari_piclick import load_predictor

    image, truth = make_picture()
    predictor = load_predictor(options.model)
    framing = predictor.framing
    print(f"\nOne {SIDE} x {SIDE} plane on {predictor.device}, by the network's input size")
    print(f"  {'input':<10}{'new plane':>16}{'further click':>16}{'new / further':>16}")
    for long_side in options.long_sides:
        predictor.framing = replace(framing, long_side=long_side)
        first = time_new_planes(predictor, image, truth)
        click = time_clicks(predictor, truth, options.clicks)
        own = " *" if long_side == framing.long_side else ""
        print(
            f"  {str(long_side) + own:<10}{first * 1000:>13.1f} ms{click * 1000:>13.1f} ms"
            f"{first / click:>16.1f}"
        )
    print("  * the size that is used")


if __name__ == "__main__":
    main()
