"""The command line: ``python -m napari_piclick.segment IMAGE --clicks FILE --output FILE``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_piclick.segment.options import UsageError, read_options
from napari_piclick.segment.plan import plan_jobs
from napari_piclick.segment.workers import WorkersError, run_jobs

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Segment images; the exit code is 0, or 2 with one sentence for each that cannot be done."""
    failed = 0
    try:
        options = read_options(arguments)
        jobs, left_out = plan_jobs(options)
        if left_out:
            print(f"Left out as done already: {len(left_out)} of {len(options.images)} images.")
        with (
            tqdm(total=len(jobs), unit="image", disable=len(jobs) < 2) as images,
            # of one image, to a person who looks on
            tqdm(unit="slice", disable=None if len(jobs) == 1 else True, leave=False) as slices,
        ):
            for done in run_jobs(jobs, options.workers, options.scheduler, slices.update):
                images.update()
                if done.error:
                    failed += 1
                    tqdm.write(done.error, file=sys.stderr)
                for line in done.warnings:
                    tqdm.write(line, file=sys.stderr)
                for line in done.lines:
                    tqdm.write(f"{done.image.name}: {line}", file=sys.stdout)
    except (UsageError, WorkersError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; images that were not finished have no output.", file=sys.stderr)
        return 130
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
