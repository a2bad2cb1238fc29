"""The lent keys: those that count whatever layer is selected, for as long as the panel is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick._napari.keys import bind_everywhere, unbind_everywhere

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_piclick._napari.controller import Controller


class LentKeys:
    """Has the viewer, and the labels that take the objects, obey keys of ours.

    The labels need them of their own, because the selected layer's keys win over the viewer's.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    controller : Controller
        Does what the keys ask for.
    """

    def __init__(self, viewer: ViewerModel, controller: Controller) -> None:
        self._viewer = viewer
        self._labels: Labels | None = None
        bind_everywhere(viewer, controller)

    def lend_to(self, labels: Labels | None, controller: Controller) -> None:
        """Have these labels obey them, and no other ones any more."""
        if labels == self._labels:
            return
        self._take_back()
        if labels is not None:
            bind_everywhere(labels, controller)
        self._labels = labels

    def close(self) -> None:
        """Give all keys back."""
        unbind_everywhere(self._viewer)
        self._take_back()

    def _take_back(self) -> None:
        if self._labels is not None:
            unbind_everywhere(self._labels)
        self._labels = None
