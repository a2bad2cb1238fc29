"""Natural photographs: whether a click still gives the person, the cat, the cup, a coin.

    python benchmarks/photographs.py --output results [--model piclick-tiny OTHER ...]

The photographs come with scikit-image. Person, cat and cup were outlined by hand for this file, to
within a few pixels; the coins are found by a watershed. Each is clicked in the middle, as the
evaluator does, and the model goes on from its own pick.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from skimage import data
from skimage.draw import polygon2mask
from skimage.filters import sobel
from skimage.io import imsave
from skimage.measure import label, regionprops
from skimage.segmentation import watershed

#: Outlines as (row, col) in pixels.
OUTLINES: dict[str, tuple[tuple[int, int], ...]] = {
    "astronaut": (
        (17, 240), (22, 215), (30, 200), (42, 168), (60, 156), (85, 154), (105, 162), (125, 172),
        (131, 181), (149, 184), (150, 165), (160, 140), (185, 117), (205, 112), (225, 97),
        (240, 75), (260, 58), (290, 42), (320, 30), (360, 24), (390, 20), (430, 24), (470, 24),
        (500, 30), (511, 40), (511, 278), (480, 277), (440, 282), (400, 300), (370, 318),
        (352, 345), (345, 365), (330, 362), (300, 357), (270, 345), (250, 325), (240, 308),
        (225, 303), (200, 290), (180, 265), (172, 255), (136, 268), (125, 285), (105, 297),
        (85, 302), (60, 297), (35, 280), (20, 260),
    ),
    "cat": (
        (0, 42), (60, 33), (110, 36), (125, 10), (135, 0), (299, 0), (299, 330), (270, 320),
        (240, 315), (215, 320), (190, 345), (160, 358), (130, 362), (100, 360), (75, 358),
        (40, 378), (0, 400),
    ),
    "coffee": (
        (18, 285), (20, 260), (28, 230), (40, 205), (60, 185), (85, 175), (110, 173), (150, 176),
        (190, 190), (220, 210), (232, 215), (255, 203), (275, 197), (300, 205), (307, 222),
        (300, 232), (280, 245), (270, 258), (282, 270), (285, 290), (280, 315), (265, 335),
        (240, 350), (225, 370), (205, 385), (160, 400), (110, 408), (85, 402), (60, 390),
        (40, 365), (28, 335), (20, 310),
    ),
}  # fmt: skip


def main() -> None:
    """Write the pictures, run the evaluator on them, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--model", nargs="+", default=["piclick-tiny"])
    options = parser.parse_args()
    folder = options.output / "photographs"
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name in (*OUTLINES, "coins"):
        picture = np.asarray(getattr(data, name)())
        labels = coins(picture) if name == "coins" else outlined(name, picture.shape[:2])
        imsave(folder / "images" / f"{name}.png", picture, check_contrast=False)
        imsave(folder / "labels" / f"{name}.png", labels, check_contrast=False)
    print("| model | pick | picture | objects | IoU after 1 click | 2 | 3 | best of seven @1 |")
    print("|---" * 8 + "|")
    for model in options.model:
        for pick in ("trm", "oracle"):
            _measure(model, pick, folder, options.output)


def outlined(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """(H, W) uint8 label map of what was outlined by hand."""
    inside: np.ndarray = polygon2mask(shape, np.array(OUTLINES[name]))
    return inside.astype(np.uint8)


def coins(picture: np.ndarray) -> np.ndarray:
    """(H, W) uint8 label map of the coins."""
    seeds = np.where(picture < 30, 1, np.where(picture > 150, 2, 0))
    found = label(watershed(sobel(picture), seeds) == 2)
    for region in regionprops(found):
        if region.area < 500:
            found[found == region.label] = 0
    return found.astype(np.uint8)


def _measure(model: str, pick: str, folder: Path, output: Path) -> None:
    results = output / f"photographs-{Path(model).stem}-{pick}.json"
    command = [sys.executable, "-m", "napari_piclick.eval", "--dataset", "folder"]
    command += ["--data", str(folder), "--model", model, "--pick", pick, "--max-clicks", "3"]
    command += ["--output", str(results)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    samples = json.loads(results.read_text())["samples"]
    for name in (*OUTLINES, "coins"):
        those = [one for one in samples if one["image"] == name]
        # what was good enough was not clicked again
        rows = np.array([[*one["ious"], *[one["ious"][-1]] * 2][:3] for one in those])
        best = np.mean([one["best_ious"][0] for one in those])
        figures = " | ".join(f"{value:.2f}" for value in rows.mean(axis=0))
        print(f"| {Path(model).stem} | {pick} | {name} | {len(those)} | {figures} | {best:.2f} |")


if __name__ == "__main__":
    main()
