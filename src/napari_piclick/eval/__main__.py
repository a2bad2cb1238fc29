"""The command line: ``python -m napari_piclick.eval --dataset sstem --data DIR``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_piclick.eval.datasets import DATASETS, TARGETS, DatasetError, open_dataset
from napari_piclick.eval.evaluation import evaluate
from napari_piclick.eval.protocol import THRESHOLDS, ClickProtocol
from napari_piclick.eval.report import format_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_piclick.eval.datasets import Dataset
    from napari_piclick.eval.results import ObjectResult, Results


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an evaluation; the exit code is 0, or 2 with one sentence if it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        results = _run(options)
    except (DatasetError, FileNotFoundError, UsageError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)
        return 130
    print(format_report(results))
    if options.output is not None:
        try:
            results.write_json(options.output)
        except OSError as error:
            print(f"{options.output} could not be written: {error}.", file=sys.stderr)
            return 2
        print(f"\nEvery object's IoUs are in {options.output}.")
    return 0


class UsageError(ValueError):
    """An option cannot be followed; the message is one sentence for the user."""


def _run(options: argparse.Namespace) -> Results:
    # Everything that can be refused is refused before the first click.
    if options.output is not None and not options.output.parent.is_dir():
        raise UsageError(f"There is no folder {options.output.parent} to write the output into.")
    if options.output is not None and options.output.is_dir():
        raise UsageError(f"The output {options.output} is a folder; name a file.")
    dataset = open_dataset(options.dataset, options.data, options.target)
    protocol = ClickProtocol(
        pick=options.pick,
        max_clicks=options.max_clicks,
        target_iou=max(options.target_iou, *THRESHOLDS),
    )
    # Only now: the predictor brings torch, which takes its time.
    from napari_piclick.predict import load_predictor

    try:
        predictor = load_predictor(options.model, device=options.device)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with _progress(dataset, options.limit) as on_object:
        results = evaluate(dataset, predictor, protocol, limit=options.limit, on_object=on_object)
    if not results.objects:
        where = "" if options.limit is None else f" on the first {options.limit} images"
        raise DatasetError(f"The dataset in {options.data} has no object{where}.")
    return results


@contextmanager
def _progress(dataset: Dataset, limit: int | None) -> Iterator[Callable[[ObjectResult], None]]:
    """A bar that counts images, with the running mean of mIoU@1."""
    images = dataset.images()
    total = len(images) if isinstance(images, Sized) else None
    if limit is not None:
        total = limit if total is None else min(limit, total)
    first_ious: list[float] = []
    last_image: str | None = None
    with tqdm(total=total, unit="image") as bar:

        def show(result: ObjectResult) -> None:
            nonlocal last_image
            first_ious.append(result.ious[0])
            if last_image not in (None, result.image):
                bar.update()
            last_image = result.image
            mean = sum(first_ious) / len(first_ious)
            bar.set_postfix_str(f"{len(first_ious)} objects, mIoU@1 {mean:.3f}")

        yield show
        bar.update(0 if last_image is None else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m napari_piclick.eval",
        description=(
            "Measure a model: a simulated annotator clicks every object of a dataset until it is "
            "segmented well or given up."
        ),
    )
    parser.add_argument("--dataset", required=True, choices=list(DATASETS))
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="its folder")
    parser.add_argument(
        "--target",
        choices=list(TARGETS),
        help="for brats: which region (default: whole-tumour)",
    )
    parser.add_argument(
        "--model",
        default="piclick-tiny",
        metavar="piclick-tiny|PATH",
        help="a model's name or a file of weights (default: piclick-tiny)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument(
        "--pick",
        default="trm",
        choices=("trm", "oracle"),
        help="who picks the proposal after each click: the model itself, as for a user, or the "
        "ground truth, as in the published tables (default: trm)",
    )
    parser.add_argument(
        "--max-clicks",
        type=_positive_int,
        default=20,
        metavar="N",
        help="clicks after which an object is given up (default: 20)",
    )
    parser.add_argument(
        "--target-iou",
        type=_positive_float,
        default=0.8,
        metavar="IOU",
        help="go on clicking at least to this IoU (default: 0.8); every object is clicked on to "
        "0.90 in any case, so that NoC80, NoC85 and NoC90 are all measured; above 1: never stop "
        "early",
    )
    parser.add_argument(
        "--limit", type=_positive_int, metavar="N", help="use the first N images only"
    )
    parser.add_argument("--output", type=Path, metavar="out.json", help="write all results here")
    return parser


def _positive_int(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _positive_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
