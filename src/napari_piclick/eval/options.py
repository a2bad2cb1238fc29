"""The options of the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_piclick.eval.datasets import DATASETS, TARGETS


def run_parser() -> argparse.ArgumentParser:
    """The options of an evaluation."""
    parser = argparse.ArgumentParser(
        prog="python -m napari_piclick.eval",
        description=(
            "Measure a model: a simulated annotator clicks every object of a dataset until it is "
            "segmented well or given up."
        ),
        epilog=(
            "To compare two runs: python -m napari_piclick.eval compare A.json B.json (see "
            "compare --help)."
        ),
    )
    data = parser.add_argument_group("what is measured on what")
    data.add_argument("--dataset", required=True, choices=list(DATASETS))
    data.add_argument("--data", required=True, type=Path, metavar="DIR", help="its folder")
    data.add_argument(
        "--target", choices=list(TARGETS), help="for brats: which region (default: whole-tumour)"
    )
    data.add_argument(
        "--model",
        default="piclick-tiny",
        metavar="NAME|PATH|MODULE:FACTORY",
        help="a model's name, a file of weights, or a function that makes anything with set_image "
        "and predict (default: piclick-tiny; piclick-tiny:thorough takes longer, and is better)",
    )
    data.add_argument(
        "--model-arg",
        action="append",
        default=[],
        metavar="TEXT",
        help="an argument of MODULE:FACTORY; may be given several times",
    )
    data.add_argument(
        "--no-parts",
        action="store_true",
        help="the network's own masks alone: no proposal is a part of one told by its brightness",
    )
    data.add_argument(
        "--volume",
        action="store_true",
        help="measure whole volumes: after each click on a slice the object is followed through "
        "its slices, and clicks are counted until its 3D Dice is reached (brats, oaizib, volumes)",
    )
    data.add_argument(
        "--limit", type=positive_int, metavar="N", help="use the first N images, or volumes, only"
    )
    protocol = parser.add_argument_group("the protocol")
    protocol.add_argument(
        "--pick",
        default="trm",
        choices=("trm", "oracle", "code"),
        help="who picks the proposal after each click: the model itself, as for a user; the "
        "ground truth, as in the published tables; or the model by the score of the authors' "
        "program (default: trm)",
    )
    protocol.add_argument(
        "--compat",
        choices=("published",),
        help="published: do all that the program behind the published tables does, its slips "
        "included",
    )
    protocol.add_argument(
        "--max-clicks",
        type=positive_int,
        default=20,
        metavar="N",
        help="clicks after which an object is given up (default: 20)",
    )
    protocol.add_argument(
        "--target-iou",
        type=positive_float,
        default=0.8,
        metavar="IOU",
        help="go on clicking at least to this IoU (default: 0.8); every object is clicked on to "
        "0.90 in any case, so that NoC80, NoC85 and NoC90 are all measured; above 1: never stop "
        "early",
    )
    machine = parser.add_argument_group("where it runs")
    machine.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    where = machine.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=positive_int,
        default=1,
        metavar="N",
        help="processes on this machine (default: 1); the results do not depend on it",
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="run on the Dask cluster of this scheduler, such as tcp://10.0.0.1:8786",
    )
    machine.add_argument(
        "--threads",
        type=positive_int,
        default=1,
        metavar="N",
        help="threads of each process (default: 1); another number changes the last bits of "
        "results, so compare runs with the same",
    )
    output = parser.add_argument_group("what is written")
    output.add_argument(
        "--output",
        type=Path,
        metavar="OUT.json",
        help="all results; until they are whole, OUT.json.journal holds what is done, and the "
        "same command goes on from it after a kill",
    )
    output.add_argument(
        "--csv", type=Path, metavar="OUT.csv", help="a line for every object and click"
    )
    output.add_argument(
        "--plot", type=Path, metavar="OUT.png", help="mean IoU against clicks, as a picture"
    )
    output.add_argument(
        "--sheet",
        type=Path,
        metavar="OUT.png",
        help="the best, median and worst objects with clicks and proposals, as a picture",
    )
    return parser


def compare_parser() -> argparse.ArgumentParser:
    """The options of a comparison."""
    parser = argparse.ArgumentParser(
        prog="python -m napari_piclick.eval compare",
        description="Compare two runs on the same objects, each with itself (paired bootstrap).",
    )
    parser.add_argument("first", type=Path, metavar="A.json")
    parser.add_argument("second", type=Path, metavar="B.json")
    parser.add_argument("--output", type=Path, metavar="OUT.json", help="write the differences")
    parser.add_argument(
        "--plot", type=Path, metavar="OUT.png", help="mean IoU against clicks of both"
    )
    return parser


def positive_int(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def positive_float(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value
