"""The session: one object's life, from the first click to the accepted mask.

It knows neither torch nor Qt nor napari, so whatever the window does can be scripted.
"""

from napari_piclick.session.accepted import Accepted
from napari_piclick.session.draft import Draft
from napari_piclick.session.history import History
from napari_piclick.session.prompt import Prompt
from napari_piclick.session.session import Session

__all__ = ["Accepted", "Draft", "History", "Prompt", "Session"]
