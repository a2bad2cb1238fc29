"""The command line: ``python -m napari_piclick.segment IMAGE --clicks FILE --output FILE``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_piclick.io.volumes import WRITABLE, ending, stem
from napari_piclick.segment.job import TABLES, Job
from napari_piclick.segment.workers import WorkersError, run_jobs
from napari_piclick.session.stopping import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLE = """
clicks.json, indices in the array order of the file's own reader (nibabel's for NIfTI):
  {"axis": 2, "clicks": [{"index": [120, 96, 75], "positive": true, "object": 1}]}

Several images: --clicks may be a folder with one NAME.json for each NAME.nii.gz, and
--output a folder, which gets NAME_labels.nii.gz.
"""


class UsageError(ValueError):
    """An option cannot be followed; the message is one sentence for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Segment images; the exit code is 0, or 2 with one sentence for each that cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        jobs = _jobs(options)
        failed = 0
        with tqdm(total=len(jobs), unit="image", disable=len(jobs) == 1) as bar:
            for done in run_jobs(jobs, options.workers, options.scheduler):
                bar.update()
                if done.error:
                    failed += 1
                    tqdm.write(done.error, file=sys.stderr)
                for line in done.lines:
                    tqdm.write(f"{done.image.name}: {line}", file=sys.stdout)
    except (UsageError, WorkersError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; images that were not finished have no output.", file=sys.stderr)
        return 130
    return 2 if failed else 0


def _jobs(options: argparse.Namespace) -> list[Job]:
    """One job for each image; what can be refused is refused before the first starts."""
    images: list[Path] = options.images
    several = len(images) > 1 or options.output.is_dir()
    if several:
        if options.output.exists() and not options.output.is_dir():
            raise UsageError(
                f"Several images need a folder as output, but {options.output} is none."
            )
        options.output.mkdir(parents=True, exist_ok=True)
        if options.record is not None:
            options.record.mkdir(parents=True, exist_ok=True)
        outputs = [options.output / f"{stem(i)}_labels{_ending(i, options.format)}" for i in images]
        if len(set(outputs)) < len(outputs):
            raise UsageError("Two of the images have the same name; segment them into two folders.")
    else:
        outputs = [options.output]
        if not options.output.parent.is_dir():
            raise UsageError(
                f"There is no folder {options.output.parent} to write the output into."
            )
        kind = ending(options.output) or options.output.suffix.lower()
        if kind not in (*WRITABLE, *TABLES):
            raise UsageError(
                f"Labels cannot be written as {options.output.name}; choose one of "
                f"{', '.join((*WRITABLE, *TABLES))}."
            )
    rules = _rules(options) if options.propagate else None
    jobs = []
    for image, output in zip(images, outputs, strict=True):
        if image.resolve() == output.resolve():
            raise UsageError(f"The output {output} is the image itself; choose another name.")
        folder = options.clicks.is_dir()
        clicks = options.clicks / f"{stem(image)}.json" if folder else options.clicks
        record = options.record
        if record is not None and several:
            record = record / f"{stem(image)}.json"
        jobs.append(
            Job(
                image,
                clicks,
                output,
                options.model,
                options.device,
                tuple(options.channels),
                rules,
                record,
            )
        )
    return jobs


def _ending(image: Path, wanted: str) -> str:
    own = ending(image)
    return wanted or (own if own in WRITABLE else ".nii.gz")


def _rules(options: argparse.Namespace) -> Rules:
    return Rules(
        min_iou=options.min_iou,
        max_slices=options.max_slices,
        first=options.first,
        last=options.last,
    )


def _parser() -> argparse.ArgumentParser:
    own = Rules()
    parser = argparse.ArgumentParser(
        prog="python -m napari_piclick.segment",
        description="Segment images from clicks, without a window, and keep their geometry.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "images",
        nargs="+",
        type=Path,
        metavar="IMAGE",
        help="NIfTI, NRRD, MHA, TIFF or DICOM; or a folder with a DICOM series",
    )
    parser.add_argument("--clicks", required=True, type=Path, metavar="clicks.json")
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="labels.nii.gz",
        help=f"written in the image's geometry, as {', '.join((*WRITABLE, *TABLES))}; or a folder",
    )
    parser.add_argument(
        "--propagate", action="store_true", help="follow each object through the slices"
    )
    parser.add_argument("--first", type=int, metavar="K", help="propagate down to this slice only")
    parser.add_argument("--last", type=int, metavar="K", help="propagate up to this slice only")
    parser.add_argument(
        "--max-slices", type=int, metavar="N", help="propagate so many slices each way at most"
    )
    parser.add_argument(
        "--min-iou",
        type=float,
        default=own.min_iou,
        metavar="X",
        help=f"stop where the predicted IoU is lower (default: {own.min_iou})",
    )
    parser.add_argument(
        "--channels",
        type=int,
        nargs="+",
        default=(),
        metavar="C",
        help="of a TIFF, of a 4D NIfTI, or series of a folder, counted from 0: one in grey, or up "
        "to three in colour; the indices of clicks then have no number for the channel",
    )
    parser.add_argument("--model", default="piclick-tiny", help="a model's name or file of weights")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument(
        "--workers", type=_positive, default=1, metavar="N", help="images at once (default: 1)"
    )
    parser.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="do it on this Dask cluster"
    )
    parser.add_argument(
        "--format", default="", choices=WRITABLE, help="of outputs in a folder (default: as image)"
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="prompts.json",
        help="write clicks, model and weights there; it can be given as --clicks again",
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
