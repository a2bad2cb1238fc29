"""The predictor: numpy arrays and clicks in, proposals out; torch stays inside."""

from napari_piclick.predict.predictor import Predictor, load_predictor

__all__ = ["Predictor", "load_predictor"]
