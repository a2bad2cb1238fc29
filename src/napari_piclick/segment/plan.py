"""The plan: one job for each image; what can be refused is refused before the first starts."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_piclick.io.tables import are_whole, slices_there
from napari_piclick.io.volumes import WRITABLE, ending, stem
from napari_piclick.segment.job import Job
from napari_piclick.segment.options import OUTPUTS, UsageError, rules_of
from napari_piclick.session.saved_session import SUFFIX

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path


def plan_jobs(options: argparse.Namespace) -> tuple[list[Job], list[Path]]:
    """The jobs that are to be done, and the images that are left out as done already.

    Raises
    ------
    UsageError
        If images, clicks and outputs do not fit together, or an output is there already.
    """
    images: list[Path] = options.images
    several = len(images) > 1 or options.output.is_dir()
    outputs = _folder_outputs(options) if several else [_one_output(options)]
    given = _clicks(options)
    precious = {clicks.resolve() for clicks in given}
    jobs = []
    for image, output, clicks in zip(images, outputs, given, strict=True):
        if image.resolve() == output.resolve():
            raise UsageError(f"The output {output} is the image itself; choose another name.")
        if output.resolve() in precious:
            raise UsageError(
                f"The output would write over the clicks {output}; choose another name."
            )
        record = options.record
        if record is not None and several:
            record = record / f"{stem(image)}.json"
        if record is not None and clicks.suffix == SUFFIX:
            raise UsageError(f"{clicks.name} holds the prompts already: leave out --record.")
        if record is not None and record.resolve() in {clicks.resolve(), output.resolve()}:
            raise UsageError(f"--record would write over {record}; choose another name.")
        jobs.append(
            Job(
                image,
                clicks,
                output,
                options.model,
                options.device,
                tuple(options.channels),
                rules_of(options),
                record,
                options.interpolate,
            )
        )
    done = [job for job in jobs if options.resume and _is_done(job.output)]
    jobs = [job for job in jobs if job not in done]
    if not options.force:
        # Some slices without the first one are what a run left that was stopped: to be resumed.
        outputs = [job.output for job in jobs if not (options.resume and _slices(job.output))]
        _refuse_to_replace([*outputs, *(job.record for job in jobs if job.record)])
    if options.scheduler:  # its workers may stand in another folder
        jobs = [_absolute(job) for job in jobs]
    return jobs, [job.image for job in done]


def _clicks(options: argparse.Namespace) -> list[Path]:
    """The file of clicks for each image."""
    given, images = options.clicks, options.images
    if len(given) == 1 and given[0].is_dir():
        return [_named(given[0], image) for image in images]
    if len(given) == 1:
        return list(given) * len(images)
    if len(given) != len(images):
        raise UsageError(
            f"There are {len(images)} images and {len(given)} files of clicks: give one file for "
            "each image, one for all, or a folder."
        )
    return list(given)


def _named(folder: Path, image: Path) -> Path:
    """The file of clicks for an image: one of its name, or else what was saved unasked."""
    name = stem(image)
    names = [f"{name}.json", f"{name}{SUFFIX}", f"{name}.autosave{SUFFIX}"]
    paths = [folder / one for one in names]
    for path in paths:
        if path.exists():
            return path
    end = f".autosave{SUFFIX}"  # each labels layer of the window has a file
    saved = [
        path
        for path in sorted(folder.iterdir())
        if path.name.startswith(f"{image.name}.") and path.name.endswith(end)
    ]
    if len(saved) > 1:
        raise UsageError(
            f"Several labels layers were saved for {image.name} in {folder}: name the file to use "
            f"with --clicks, for example {saved[0].name}."
        )
    return saved[0] if saved else paths[0]


def _folder_outputs(options: argparse.Namespace) -> list[Path]:
    folder: Path = options.output
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"Several images need a folder as output, but {folder} is none.")
    if not folder.exists() and ending(folder):
        raise UsageError(f"Several images need a folder as output; {folder} looks like a file.")
    outputs = [folder / f"{stem(i)}_labels{_ending(i, options.format)}" for i in options.images]
    if len(set(outputs)) < len(outputs):
        raise UsageError("Two of the images have the same name; segment them into two folders.")
    for one in (folder, options.record):
        if one is not None:
            _make_folder(one)
    return outputs


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made ({error.strerror}).") from error
    _check_writable(folder)


def _one_output(options: argparse.Namespace) -> Path:
    output: Path = options.output
    kind = ending(output) or output.suffix.lower()
    if options.format and options.format != kind:
        raise UsageError(f"--format {options.format} does not fit the output {output.name}.")
    if kind not in OUTPUTS:
        raise UsageError(
            f"Labels cannot be written as {output.name}; choose one of {', '.join(OUTPUTS)}."
        )
    for path in (output, options.record):
        if path is None:
            continue
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name a file to write.")
        if not path.parent.is_dir():
            raise UsageError(f"There is no folder {path.parent} to write {path.name} into.")
        _check_writable(path.parent)
    return output


def _check_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"Nothing can be written into the folder {folder}; choose another one.")


def _ending(image: Path, wanted: str) -> str:
    own = ending(image)
    return wanted or (own if own in WRITABLE else ".nii.gz")


def _slices(output: Path) -> list[Path]:
    return slices_there(output) if output.suffix.lower() == ".png" else []


def _is_done(output: Path) -> bool:
    """Whether an output is there; of slices as PNG, whether all are."""
    return output.exists() or (output.suffix.lower() == ".png" and are_whole(output))


def _refuse_to_replace(paths: Iterable[Path]) -> None:
    there = [path for path in paths if path.exists() or _slices(path)]
    if there:
        more = f" and {len(there) - 1} more are" if len(there) > 1 else " is"
        raise UsageError(
            f"{there[0]}{more} there already: choose another name, or give --force to replace, or "
            "--resume to leave out what is done."
        )


def _absolute(job: Job) -> Job:
    return replace(
        job,
        image=job.image.absolute(),
        clicks=job.clicks.absolute(),
        output=job.output.absolute(),
        record=None if job.record is None else job.record.absolute(),
    )
