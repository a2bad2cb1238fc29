"""Evaluation: how many simulated clicks a predictor needs for the objects of a dataset.

On the command line ``python -m napari_piclick.eval --help``; as a library::

    from napari_piclick import load_predictor
    from napari_piclick.eval import ClickProtocol, evaluate, open_dataset

    results = evaluate(
        open_dataset("sstem", "stack1"), load_predictor(), ClickProtocol(pick="oracle")
    )
    print(results.summary())

With several processes, and a journal from which a run that was killed goes on::

    from napari_piclick.eval import Journal, ModelSpec, Processes

    with Journal(Path("run.journal"), run={"what": "all of ssTEM"}) as journal:
        results = evaluate(
            dataset, ModelSpec("piclick-tiny"), workers=Processes(4), record=journal
        )
"""

from __future__ import annotations

from napari_piclick.eval.annotation import annotate_object
from napari_piclick.eval.clicker import next_click
from napari_piclick.eval.dask_cluster import DaskCluster
from napari_piclick.eval.datasets import Dataset, DatasetError, Sample, open_dataset
from napari_piclick.eval.evaluation import evaluate
from napari_piclick.eval.journal import Journal
from napari_piclick.eval.model_spec import ModelSpec
from napari_piclick.eval.object_result import ImageDone, ObjectResult
from napari_piclick.eval.processes import Processes
from napari_piclick.eval.protocol import ClickProtocol, Segmenter
from napari_piclick.eval.results import Results

__all__ = [
    "ClickProtocol",
    "DaskCluster",
    "Dataset",
    "DatasetError",
    "ImageDone",
    "Journal",
    "ModelSpec",
    "ObjectResult",
    "Processes",
    "Results",
    "Sample",
    "Segmenter",
    "annotate_object",
    "evaluate",
    "next_click",
    "open_dataset",
]
