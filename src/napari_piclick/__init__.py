"""Click segmentation with several mask proposals per click, for napari.

Importing this package loads neither torch nor napari: the public names are
resolved when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_piclick.clicks import Click
    from napari_piclick.predict import Predictor, load_predictor
    from napari_piclick.proposals import Proposals
    from napari_piclick.region import Region
    from napari_piclick.session import Session

__version__ = "0.1.0"

__all__ = ["Click", "Predictor", "Proposals", "Region", "Session", "load_predictor"]

_HOME = {
    "Click": "clicks",
    "Predictor": "predict",
    "Proposals": "proposals",
    "Region": "region",
    "Session": "session",
    "load_predictor": "predict",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
