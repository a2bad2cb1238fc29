"""Every figure of the model card: runs the evaluator on all benchmark sets and prints the tables.

    python benchmarks/model_card.py --data DATA --output results --model piclick-tiny

DATA holds ``benchmark/sstem``, ``benchmark/brats21``, ``benchmark/nuclei``, for nucleus and
whole cell ``train/blood``, and for parts of the hippocampus ``train/hippocampus``, of which only
the volumes are taken that training holds out; sets that are not there are left out. What was
measured of the same model before, in the same output folder, is not measured again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from napari_piclick.train.data.split import divide

#: name -> folder, what the evaluator is told, who picks.
RUNS: dict[str, tuple[str, list[str], tuple[str, ...]]] = {
    "ssTEM mitochondria": ("benchmark/sstem", ["--dataset", "sstem"], ("trm", "oracle")),
    "BraTS21 case, whole tumour on FLAIR": (
        "benchmark/brats21",
        ["--dataset", "brats", "--target", "whole-tumour"],
        ("trm", "oracle"),
    ),
    "the same, tumour core on contrast-enhanced T1": (
        "benchmark/brats21",
        ["--dataset", "brats", "--target", "tumour-core"],
        ("trm", "oracle"),
    ),
    "nuclei": ("benchmark/nuclei", ["--dataset", "folder"], ("trm", "oracle")),
    "nested: tumour core in whole tumour, FLAIR": (
        "benchmark/brats21",
        ["--dataset", "brats", "--target", "nested", "--max-clicks", "1"],
        ("trm",),
    ),
    "nested: tumour core in whole tumour, contrast-enhanced T1": (
        "benchmark/brats21",
        ["--dataset", "brats", "--target", "nested-t1ce", "--max-clicks", "1"],
        ("trm",),
    ),
    "nested: nucleus in white blood cell (never trained on)": (
        "train/blood",
        ["--dataset", "folder", "--max-clicks", "1"],
        ("trm",),
    ),
    "nested: head or body in hippocampus, held-out volumes": (
        "train/hippocampus",
        ["--dataset", "volumes", "--max-clicks", "1"],
        ("trm",),
    ),
}


def main() -> None:
    """Measure what is missing and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--model", default="piclick-tiny")
    parser.add_argument("--only", nargs="*", help="parts of names, to measure no more than those")
    parser.add_argument("--limit", type=int, help="images of each set, the first by name")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    clicks, nested = [], []
    for number, (name, (folder, arguments, picks)) in enumerate(RUNS.items()):
        chosen = not options.only or any(part in name for part in options.only)
        if not chosen or not (options.data / folder).is_dir():
            continue
        for pick in picks:
            output = options.output / f"{number}-{pick}.json"
            if not _measured(output, options.model):
                data = options.data / folder
                if "held-out" in name:
                    data = _held_out(data, options.output / "held-out")
                command = [sys.executable, "-m", "napari_piclick.eval", *arguments]
                command += ["--data", str(data), "--model", options.model]
                command += ["--pick", pick, "--output", str(output)]
                command += ["--workers", str(options.workers)]
                command += ["--limit", str(options.limit)] if options.limit else []
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            summary = json.loads(output.read_text())["summary"]
            if name.startswith("nested"):
                nested.append(_nested_row(name, summary))
            else:
                clicks.append(_clicks_row(name, pick, summary))
    _print(
        ["set", "objects", "pick", "mIoU@1", "best of seven @1", "NoC80", "NoC85", "NoC90",
         "failures at 0.80", "gap @1", "further selections",
         "by over 0.05", "to 0.80"],
        clicks,
    )  # fmt: skip
    _print(["set", "pairs", "both", "inner", "outer", "different proposals"], nested)


def _held_out(collection: Path, into: Path) -> Path:
    """Copy the volumes of a collection that training does not see to a folder of their own."""
    volumes = sorted((collection / "images").glob("*.nii.gz"))
    held = divide([volume.name.removesuffix(".nii.gz") for volume in volumes], "validation")
    for part in ("images", "labels"):
        (into / part).mkdir(parents=True, exist_ok=True)
        for stem in held:
            shutil.copy(collection / part / f"{stem}.nii.gz", into / part)
    shutil.copy(collection / "targets.json", into)
    return into


def _measured(output: Path, model: str) -> bool:
    """Whether a file holds every figure of this model; earlier versions measured fewer."""
    if not output.exists():
        return False
    results = json.loads(output.read_text())
    return results["model"] == model and "selections80" in results["summary"]


def _clicks_row(name: str, pick: str, summary: dict[str, Any]) -> list[str]:
    return [
        name,
        str(summary["objects"]),
        pick,
        f"{summary['miou@1']:.3f}",
        f"{summary['best_miou@1']:.3f}",
        *(f"{summary[f'noc{k}']:.2f}" for k in (80, 85, 90)),
        str(summary["failures80"]),
        f"{summary['gap@1']:.3f}",
        *(f"{summary[k]:.2f}" for k in ("selections", "clear_selections", "selections80")),
    ]


def _nested_row(name: str, summary: dict[str, Any]) -> list[str]:
    return [
        name.removeprefix("nested: "),
        str(summary.get("nested", 0)),
        *(f"{100 * summary.get(f'{k}@1', 0):.0f} %" for k in ("both", "inner", "outer")),
        f"{summary['different@1']:.1f}",
    ]


def _print(header: list[str], rows: list[list[str]]) -> None:
    if rows:
        print("| " + " | ".join(header) + " |")
        print("|---" * len(header) + "|")
        for row in rows:
            print("| " + " | ".join(row) + " |")
        print()


if __name__ == "__main__":
    main()
