"""The predictor: numpy arrays and clicks in, proposals out; torch stays inside."""

from napari_piclick.predict.interface import ClickPredictor
from napari_piclick.predict.loading import load_predictor
from napari_piclick.predict.predictor import Predictor

__all__ = ["ClickPredictor", "Predictor", "load_predictor"]
