"""The activities: what the controller does shows in napari's activity dock as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick._napari.activity import Activity
from napari_piclick._qt import strings

if TYPE_CHECKING:
    from napari_piclick._napari.controller import Controller


class Activities:
    """A line for the model's work, and one for an object that is followed through slices.

    Parameters
    ----------
    controller : Controller
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._model = Activity()
        self._volume = Activity()
        controller.volume.changed.connect(self._draw_volume)

    def draw(self, long: bool) -> None:
        """Show what the model does, if that takes long enough to be told."""
        stage = self._controller.answers.stage
        if long and stage is not None:
            self._model.show(strings.activity(stage))
        else:
            self._model.close()

    def close(self) -> None:
        """Take the lines away and stop listening."""
        self._controller.volume.changed.disconnect(self._draw_volume, missing_ok=True)
        self._model.close()
        self._volume.close()

    def _draw_volume(self) -> None:
        volume = self._controller.volume
        followed = volume.selected.followed if volume.running else None
        if followed is None:
            self._volume.close()
        else:
            self._volume.show(strings.following(followed.label, len(followed.slices)))
