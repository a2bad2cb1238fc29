"""The keys: one table of shortcuts, for the clicks layer and for the panel alike.

None of them takes a key that napari uses on the layers they are bound to.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Points

    from napari_piclick._napari.controller import Controller


@dataclass(frozen=True)
class Shortcut:
    """A key and what it does.

    Parameters
    ----------
    key : str
        As napari names it: "Control-Shift-Z".
    action : callable
        Called with the controller.
    meaning : str
        For tooltips and the documentation.
    """

    key: str
    action: Callable[[Controller], Any]
    meaning: str

    @property
    def qt_key(self) -> str:
        """The key as Qt names it: "Ctrl+Shift+Z"."""
        return self.key.replace("Control-", "Ctrl+").replace("Shift-", "Shift+")

    @property
    def qt_keys(self) -> tuple[str, ...]:
        """All the keys that mean the same to the user: there are two Enter keys."""
        return ("Enter", "Return") if self.key == "Enter" else (self.qt_key,)


def _choose(index: int, controller: Controller) -> None:
    controller.choose(index)


UNDO = Shortcut("Control-Z", lambda c: c.undo(), "take back the last click or choice")
REDO = Shortcut("Control-Shift-Z", lambda c: c.redo(), "do it again")
ACCEPT = Shortcut("Enter", lambda c: c.accept(), "keep the object and start the next")
CANCEL = Shortcut("Escape", lambda c: c.cancel(), "drop the object (undo brings it back)")
DOUBTFUL = Shortcut(
    "W", lambda c: c.volume.go_to_doubtful(), "go to the slice that most needs a look"
)
PROPAGATE = Shortcut("K", lambda c: c.volume.propagate(), "propagate to the slices beside this one")
CHOOSE = tuple(
    Shortcut(str(k + 1), partial(_choose, k), f"take proposal {k + 1}") for k in range(7)
)

#: Every shortcut there is.
SHORTCUTS = (*CHOOSE, UNDO, REDO, ACCEPT, CANCEL, DOUBTFUL, PROPAGATE)


def bind_keys(layer: Points, controller: Controller) -> None:
    """Bind all shortcuts to our own layer of clicks; other layers keep their keys."""
    for shortcut in SHORTCUTS:
        layer.bind_key(shortcut.key, _on_key(shortcut, controller), overwrite=True)


def _on_key(shortcut: Shortcut, controller: Controller) -> Callable[[Points], None]:
    # The layer may outlive the panel, and must not keep it alive.
    reference = weakref.ref(controller)

    def press(layer: Points) -> None:  # noqa: ARG001 - napari hands over the layer
        alive = reference()
        if alive is not None:
            shortcut.action(alive)

    return press
