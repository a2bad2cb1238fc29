"""The class colours: labels that show the colours of their classes, with a way back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from psygnal import Signal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from napari_piclick._napari.label_actions import LabelActions
    from napari_piclick._napari.stream import Worker
    from napari_piclick.session import Session

#: Objects in no class are gray.
NO_CLASS = (0.62, 0.62, 0.62, 1.0)
BACKGROUND = (0.0, 0.0, 0.0, 0.0)


class ClassColors:
    """Colours the labels that take the objects by class, as long as the user wants it.

    The colours that the layer had come back when it is switched off, when other labels are
    taken, and in the end. A user who gives the layer other colours meanwhile has switched it off.

    Parameters
    ----------
    labels : LabelActions
    session : Session
    stream : Worker
        Has napari get ready for such colours, which would hold up the window the first time.

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted after it was switched on or off.
    """

    changed = Signal()

    def __init__(self, labels: LabelActions, session: Session, stream: Worker) -> None:
        self._labels = labels
        self._session = session
        self._stream = stream
        self._on = False
        self._ready: set[np.dtype] = set()
        self._layer: Labels | None = None
        self._own: object = None
        self._colors: dict[int, str] | None = None
        self._ourselves = False
        session.changed.connect(self._paint)
        labels.changed.connect(self._paint)

    def close(self) -> None:
        """Give the labels their own colours again, and listen no more."""
        self._on = False
        self._give_back()
        self._stream.close()
        self._session.changed.disconnect(self._paint)
        self._labels.changed.disconnect(self._paint)

    @property
    def on(self) -> bool:
        """Whether the labels are to show their classes."""
        return self._on

    def switch(self, on: bool) -> None:
        """Show classes, or objects again."""
        if on != self._on:
            self._on = on
            self._paint()
            self.changed.emit()

    def _paint(self) -> None:
        layer = self._labels.target if self._on else None
        if layer != self._layer:
            self._give_back()
        if layer is None:
            return
        dtype = layer.data.dtype
        if dtype not in self._ready:
            self._stream.run(lambda: _get_ready(dtype), self._on_ready, lambda _: None)
            return
        if self._layer is None:
            self._layer, self._own, self._colors = layer, layer.colormap, None
            layer.events.colormap.connect(self._on_colored)
        colors = self._wanted()
        if colors != self._colors:
            self._colors = colors
            with self._by_ourselves():
                layer.colormap = _colormap(colors)

    def _wanted(self) -> dict[int, str]:
        """The colours of the objects that are in a class."""
        objects = self._session.objects
        colors = {label: objects.classes.color(r.kind) for label, r in objects.records.items()}
        return {label: color for label, color in colors.items() if color is not None}

    def _give_back(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None:
            layer.events.colormap.disconnect(self._on_colored)
            layer.colormap = self._own
            self._own = self._colors = None

    def _on_ready(self, dtype: np.dtype) -> None:
        self._ready.add(dtype)
        self._paint()

    def _on_colored(self) -> None:
        if self._ourselves or self._layer is None:
            return
        self._layer.events.colormap.disconnect(self._on_colored)
        self._layer = self._own = self._colors = None
        self._on = False
        self.changed.emit()

    @contextmanager
    def _by_ourselves(self) -> Iterator[None]:
        self._ourselves = True
        try:
            yield
        finally:
            self._ourselves = False


def _colormap(colors: dict[int, str]) -> DirectLabelColormap:
    known: dict[int | None, Any] = {None: NO_CLASS, 0: BACKGROUND}
    return DirectLabelColormap(color_dict=known | colors)


def _get_ready(dtype: np.dtype) -> Generator[np.dtype, None, None]:
    """Have napari compile what it needs for such colours, on labels that nobody sees."""
    Labels(np.ones((2, 2), dtype), colormap=_colormap({1: "white"}))
    yield dtype
