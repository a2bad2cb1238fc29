"""Choose on training data when a slice that is followed again keeps what it held.

Objects of half of the hippocampi and neurons, of the brain atlas and of the bodies are clicked by
the annotator of ``python -m napari_piclick.eval --volume``: each click is followed through the
volume, and the 3D Dice is taken after it. A setting is judged by the mean Dice over all clicks,
each set of objects counting the same. The benchmark (BraTS) and the other half of the sets are
not looked at.

    python benchmarks/choose_corrections.py --data shared/data --output choice.json

The choice is what `Keep` has as defaults; run it again for new weights.
"""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from volume_cases import body, brain, hippocampus, neurons

from napari_piclick import load_predictor
from napari_piclick.eval.datasets.dataset import VolumeSample
from napari_piclick.eval.protocol import ClickProtocol
from napari_piclick.eval.volume_annotation import VolumeAnnotator
from napari_piclick.session.keep_better import Keep

if TYPE_CHECKING:
    from volume_cases import Case

    from napari_piclick.predict import Predictor

#: What is tried: nothing kept, then more and more weight on what goes on with the corrected slice.
SETTINGS: dict[str, Keep | None] = {
    "nothing is kept": None,
    "overlap 1": Keep(overlap=1.0),
    "overlap 2": Keep(overlap=2.0),
    "overlap 4": Keep(overlap=4.0),
}
#: Objects of each set.
COUNTS = {"hippocampus": 3, "body": 2, "neurons": 1, "brain": 1}
#: Clicks on each object; a Dice that is lower than before by so much has dropped.
CLICKS, DROP = 6, 0.01


def course(predictor: Predictor, case: Case, keep: Keep | None) -> list[float]:
    """Dice after each click; an annotator who finds nothing more to correct leaves it as it is."""
    sample = VolumeSample(
        case.name, "1", case.volume, case.truth, case.axis, case.spacing, case.window
    )
    protocol = ClickProtocol(volume=True, max_clicks=CLICKS, target_iou=1.1)
    annotator = VolumeAnnotator(sample, predictor, protocol, (case.name,), keep)
    dices = list(annotator.annotate((0, 0)).ious)
    return dices + dices[-1:] * (CLICKS - len(dices))


def mean_of_sets(values: dict[str, list[float]]) -> float:
    """The mean over the sets of their means."""
    return float(np.mean([np.mean(several) for several in values.values()]))


def main() -> None:
    """Choose, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    parser.add_argument("--model", default="piclick-tiny")
    parser.add_argument("--output", type=Path, help="write every course as JSON")
    options = parser.parse_args()
    train = options.data / "train"
    sets = {
        "hippocampus": hippocampus(train / "hippocampus", 1),
        "body": body(train / "body"),
        "neurons": neurons(train / "neurons", 1),
        "brain": brain(train / "brain_atlas"),
    }
    predictor: Any = load_predictor(options.model)
    predictor.cache.max_bytes = 5 * 2**30  # the same planes are asked about again and again
    courses: dict[str, dict[str, list[list[float]]]] = {name: {} for name in SETTINGS}
    seconds = dict.fromkeys(SETTINGS, 0.0)
    for name, cases in sets.items():
        for case in islice(cases, COUNTS[name]):
            for setting, keep in SETTINGS.items():
                began = perf_counter()
                dices = course(predictor, case, keep)
                seconds[setting] += perf_counter() - began
                courses[setting].setdefault(name, []).append(dices)
                told = " ".join(f"{dice:.3f}" for dice in dices)
                print(f"{case.name:<26}{setting:<24}{told}", flush=True)
    print(f"\n{'':<24}{'mean Dice':>12}{'last':>12}{'drops':>12}{'largest':>12}{'seconds':>12}")
    choice = {}
    for setting, by_set in courses.items():
        steps = [np.diff(dices) for several in by_set.values() for dices in several]
        choice[setting] = {
            "mean": mean_of_sets({k: [np.mean(d) for d in v] for k, v in by_set.items()}),
            "last": mean_of_sets({k: [d[-1] for d in v] for k, v in by_set.items()}),
            "drops": sum(int((step < -DROP).sum()) for step in steps),
            "largest": float(max(-step.min() for step in steps)),
            "seconds": round(seconds[setting]),
        }
        print(f"{setting:<24}" + "".join(f"{value:>12.4g}" for value in choice[setting].values()))
    if options.output is not None:
        told = {"weights": predictor.weights_hash, "settings": choice, "courses": courses}
        options.output.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
