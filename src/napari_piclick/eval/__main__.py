"""The command line: ``python -m napari_piclick.eval --dataset sstem --data DIR``."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from napari_piclick.eval.comparison import (
    ComparisonError,
    compare,
    finished_alike,
    format_comparison,
    read_run,
)
from napari_piclick.eval.datasets import DatasetError, open_dataset
from napari_piclick.eval.evaluation import evaluate
from napari_piclick.eval.journal import Journal, JournalError
from napari_piclick.eval.model_spec import ModelSpec
from napari_piclick.eval.options import compare_parser, run_parser
from napari_piclick.eval.progress import Progress
from napari_piclick.eval.protocol import THRESHOLDS, ClickProtocol
from napari_piclick.eval.report import format_report
from napari_piclick.eval.workers import Serial, WorkerError
from napari_piclick.io.errors import VolumeError
from napari_piclick.io.whole_file import whole_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from napari_piclick.eval.datasets import Dataset
    from napari_piclick.eval.results import Results
    from napari_piclick.eval.workers import Workers

#: Errors whose message is one sentence for the user.
_SAID = (
    ComparisonError,
    ConnectionError,
    DatasetError,
    FileNotFoundError,
    JournalError,
    WorkerError,
)


class UsageError(ValueError):
    """An option cannot be followed; the message is one sentence for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an evaluation or a comparison.

    The exit code is 0, or 2 with one sentence on the error stream if it cannot be done.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if arguments[:1] == ["compare"]:
            _compare(compare_parser().parse_args(arguments[1:]))
        else:
            _run(run_parser().parse_args(arguments))
    except (*_SAID, UsageError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    # Everything that can be refused is refused before the first click.
    outputs = [options.output, options.csv, options.plot, options.sheet]
    _check_outputs(outputs)
    dataset = open_dataset(options.dataset, options.data, options.target)
    protocol = ClickProtocol(
        pick=options.pick,
        max_clicks=options.max_clicks,
        target_iou=max(options.target_iou, *THRESHOLDS),
        compat=options.compat,
        volume=options.volume,
    )
    if options.volume:
        dataset.volumes()  # refuses pictures
        if options.sheet is not None:
            raise UsageError("There is no --sheet of volumes; leave one of the two out.")
    spec = ModelSpec(
        options.model,
        options.device,
        tuple(options.model_arg),
        options.compat,
        options.threads,
        parts=not options.no_parts,
    )
    try:
        with _journal(options, dataset, protocol, spec) as journal:
            results = _evaluate(options, dataset, protocol, spec, journal)
            print(format_report(results))
            _write(options, dataset, spec, results)
            if options.output is not None:
                journal.remove()
    except KeyboardInterrupt:
        kept = options.output is not None
        words = "the same command goes on from here" if kept else "nothing was written"
        print(f"Stopped; {words}.", file=sys.stderr)
        sys.exit(130)


def _evaluate(
    options: argparse.Namespace,
    dataset: Dataset,
    protocol: ClickProtocol,
    spec: ModelSpec,
    journal: Journal,
) -> Results:
    workers = _workers(options)
    images = dataset.volumes() if protocol.volume else dataset.images()
    with Progress(images, options.limit, journal, protocol.volume) as progress:
        try:
            results = evaluate(
                dataset,
                spec,
                protocol,
                limit=options.limit,
                workers=workers,
                record=journal,
                name=spec.title,
                on_object=progress.on_object,
                on_image=progress.on_image,
            )
        except _SAID:
            raise
        except ValueError as error:
            raise UsageError(str(error)) from error
    if not results.objects:
        where = "" if options.limit is None else f" on the first {options.limit} images"
        raise DatasetError(f"The dataset in {options.data} has no object{where}.")
    return results


def _workers(options: argparse.Namespace) -> Workers:
    if options.scheduler is not None:
        from napari_piclick.eval.dask_cluster import DaskCluster

        return DaskCluster(options.scheduler)
    if options.workers > 1:
        from napari_piclick.eval.processes import Processes

        return Processes(options.workers)
    return Serial()


@contextmanager
def _journal(
    options: argparse.Namespace, dataset: Dataset, protocol: ClickProtocol, spec: ModelSpec
) -> Iterator[Journal]:
    """Where results are kept until the run is over; it stays if the run does not end well."""
    run = {
        "dataset": dataset.name,
        "folder": str(dataset.folder.resolve()),
        "target": options.target,
        "limit": options.limit,
        **spec.identity(),
        **protocol.as_dict(),
    }
    if options.output is None:
        with (
            TemporaryDirectory(prefix="napari-piclick-eval-") as folder,
            Journal(Path(folder) / "journal", run) as journal,
        ):
            yield journal
        return
    path = options.output.with_name(options.output.name + ".journal")
    try:
        journal = Journal(path, run)
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error}.") from error
    with journal:
        yield journal


def _write(
    options: argparse.Namespace, dataset: Dataset, spec: ModelSpec, results: Results
) -> None:
    """Write the files that were asked for, and say where they are."""
    if options.output is not None:
        with _writing(options.output):
            results.write_json(options.output)
        print(f"\nEvery object's IoUs are in {options.output}.")
    if options.csv is not None:
        from napari_piclick.eval.spreadsheet import write_csv

        with _writing(options.csv):
            write_csv(results, options.csv)
    if options.plot is not None:
        from napari_piclick.eval.curve import draw_curves

        summary = results.summary()
        mean = "mdice" if options.volume else "miou"
        ious = [summary[f"{mean}@{k}"] or 0.0 for k in range(1, options.max_clicks + 1)]
        with _writing(options.plot):
            draw_curves({f"{results.model} ({options.pick})": ious}, options.plot)
    if options.sheet is not None:
        from napari_piclick.eval.contact_sheet import draw_contact_sheet

        with _writing(options.sheet):
            draw_contact_sheet(dataset, spec(), results, options.sheet)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say in one sentence why a file could not be written."""
    try:
        yield
    except VolumeError as error:  # is a sentence already
        raise UsageError(str(error)) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} could not be written: {error}.") from error


def _compare(options: argparse.Namespace) -> None:
    _check_outputs([options.output, options.plot])
    first, second = read_run(options.first), read_run(options.second)
    differences = compare(first, second)
    print(format_comparison(first, second, differences))
    if options.output is not None:
        values = {
            "first": str(options.first),
            "second": str(options.second),
            "measures": {each.name: each.as_dict() for each in differences},
        }
        with _writing(options.output), whole_file(options.output) as part:
            part.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    if options.plot is not None:
        from napari_piclick.eval.curve import draw_curves

        runs = dict(zip("AB", finished_alike(first, second), strict=True))
        curves = {f"{k} {run.model} ({run.pick})": run.mean_ious() for k, run in runs.items()}
        with _writing(options.plot):
            draw_curves(curves, options.plot)


def _check_outputs(outputs: list[Path | None]) -> None:
    for path in outputs:
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"There is no folder {path.parent} to write the output into.")
        if path is not None and path.is_dir():
            raise UsageError(f"The output {path} is a folder; name a file.")


if __name__ == "__main__":
    sys.exit(main())
