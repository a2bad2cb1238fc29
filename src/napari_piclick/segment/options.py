"""The options of the command line, and what of them does not fit together."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from napari_piclick.io.volumes import WRITABLE
from napari_piclick.segment.job import TABLES
from napari_piclick.session.stopping import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Endings of everything that labels can be written as.
OUTPUTS = (*WRITABLE, *TABLES)

_EXAMPLE = """
clicks.json, indices in the array order of the file's own reader (nibabel's for NIfTI):
  {"axis": 2, "clicks": [{"index": [120, 96, 75], "positive": true, "object": 1}]}

Instead, NAME.piclick: what the window saved. Its clicks and choices are repeated.

Several images: --clicks may be one file for each, or a folder with one NAME.json or NAME.piclick
for each NAME.nii.gz, and --output a folder, which gets NAME_labels.nii.gz. If that was stopped,
--resume does the images that have no output yet.
"""


class UsageError(ValueError):
    """Options cannot be followed; the message is one sentence for the user."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message[:1].upper()}{message[1:]}; --help lists the options.\n")


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line.

    Raises
    ------
    UsageError
        If options contradict each other.
    SystemExit
        With code 2 and a sentence, if there is no such option or its value is of another kind.
    """
    options = _parser().parse_args(arguments)
    if not options.propagate:
        for name in ("first", "last", "max_slices", "min_iou"):
            if getattr(options, name) is not None:
                option = name.replace("_", "-")
                raise UsageError(f"--{option} is about --propagate: give that, too.")
    if options.propagate and options.interpolate:
        raise UsageError("--propagate and --interpolate exclude each other; choose one.")
    if options.first is not None and options.last is not None and options.first > options.last:
        raise UsageError(f"--first {options.first} lies behind --last {options.last}.")
    if options.workers > 1 and options.scheduler:
        raise UsageError("--workers is for this machine; a cluster has its own: leave it out.")
    if options.force and options.resume:
        raise UsageError("--force does all images again and --resume does not; choose one.")
    return options


def rules_of(options: argparse.Namespace) -> Rules | None:
    """When propagation is to stop; None not to propagate."""
    if not options.propagate:
        return None
    own = Rules()
    return Rules(
        min_iou=own.min_iou if options.min_iou is None else options.min_iou,
        max_slices=options.max_slices,
        first=options.first,
        last=options.last,
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"{Path(sys.executable).stem} -m napari_piclick.segment",
        description="Segment images from clicks, without a window, and keep their geometry.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "images",
        nargs="+",
        type=Path,
        metavar="IMAGE",
        help="NIfTI, NRRD, MHA, TIFF or DICOM; or a folder with DICOM series or TIFF slices",
    )
    parser.add_argument(
        "--clicks",
        required=True,
        nargs="+",
        type=Path,
        metavar="clicks.json",
        help="where to click, or what the window saved (.piclick); see below",
    )
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="labels.nii.gz",
        help=f"written in the image's geometry, as {', '.join(OUTPUTS)}; or a folder",
    )
    parser.add_argument("--force", action="store_true", help="replace outputs that are there")
    parser.add_argument(
        "--resume", action="store_true", help="leave out images whose output is there"
    )
    between = parser.add_argument_group("from slice to slice")
    between.add_argument(
        "--propagate", action="store_true", help="follow each object through the slices"
    )
    between.add_argument(
        "--interpolate",
        action="store_true",
        help="fill the slices between those clicked on, from their outlines alone",
    )
    between.add_argument("--first", type=_index, metavar="K", help="down to this slice only")
    between.add_argument("--last", type=_index, metavar="K", help="up to this slice only")
    between.add_argument(
        "--max-slices", type=_count, metavar="N", help="so many slices each way at most"
    )
    between.add_argument(
        "--min-iou",
        type=_share,
        metavar="X",
        help=f"stop where the predicted IoU is lower (default: {Rules().min_iou})",
    )
    parser.add_argument(
        "--channels",
        type=_index,
        nargs="+",
        default=(),
        metavar="C",
        help="of a TIFF, of a 4D NIfTI, or series of a folder, counted from 0: one in grey, or up "
        "to three in colour; the indices of clicks then have no number for the channel",
    )
    parser.add_argument(
        "--model",
        default="piclick-tiny",
        help="a model's name or file of weights (default: piclick-tiny; piclick-tiny:thorough "
        "takes longer, and is better)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="images at once (default: 1)"
    )
    parser.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="do it on this Dask cluster"
    )
    parser.add_argument(
        "--format", default="", choices=OUTPUTS, help="of outputs in a folder (default: as image)"
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="prompts.json",
        help="write clicks, model and weights there; it can be given as --clicks again",
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _index(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value
