"""The session: one object's life, from the first click to the accepted mask.

It knows neither torch nor Qt nor napari, so whatever the window does can be scripted.
"""

from napari_piclick.session.accepted import Accepted
from napari_piclick.session.draft import Draft
from napari_piclick.session.label_edit import LabelEdit
from napari_piclick.session.label_map import ArrayLabels, LabelsError
from napari_piclick.session.prompt import Prompt
from napari_piclick.session.session import Session
from napari_piclick.session.step import Step
from napari_piclick.session.timeline import Timeline
from napari_piclick.session.volume_session import VolumeSession

__all__ = [
    "Accepted",
    "ArrayLabels",
    "Draft",
    "LabelEdit",
    "LabelsError",
    "Prompt",
    "Session",
    "Step",
    "Timeline",
    "VolumeSession",
]
