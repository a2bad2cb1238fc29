"""Evaluation: how many simulated clicks a predictor needs for the objects of a dataset.

On the command line ``python -m napari_piclick.eval --help``; as a library::

    from napari_piclick import load_predictor
    from napari_piclick.eval import ClickProtocol, evaluate, open_dataset

    results = evaluate(
        open_dataset("sstem", "stack1"), load_predictor(), ClickProtocol(pick="oracle")
    )
    print(results.summary())
"""

from __future__ import annotations

from napari_piclick.eval.clicker import next_click
from napari_piclick.eval.datasets import Dataset, DatasetError, Sample, open_dataset
from napari_piclick.eval.evaluation import evaluate, evaluate_object
from napari_piclick.eval.protocol import ClickProtocol, Segmenter
from napari_piclick.eval.results import ObjectResult, Results

__all__ = [
    "ClickProtocol",
    "Dataset",
    "DatasetError",
    "ObjectResult",
    "Results",
    "Sample",
    "Segmenter",
    "evaluate",
    "evaluate_object",
    "next_click",
    "open_dataset",
]
