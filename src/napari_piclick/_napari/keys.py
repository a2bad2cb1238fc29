"""The keys: one table of shortcuts, for layers, viewer, panel and documentation alike.

Keys that count everywhere are none of napari's. On our own layer of clicks the digits take the
place of the keys that napari changes the mode of a Points layer by, which is not needed there.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari.components import ViewerModel
    from napari.layers import Layer

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
    everywhere : bool
        Whether it counts while other layers than that of the clicks are selected, too.
    """

    key: str
    action: Callable[[Controller], Any]
    meaning: str
    everywhere: bool = False

    @property
    def qt_key(self) -> str:
        """The key as Qt names it: "Ctrl+Shift+Z"."""
        return self.key.replace("Control-", "Ctrl+").replace("Shift-", "Shift+")

    @property
    def qt_keys(self) -> tuple[str, ...]:
        """All the keys that mean the same to the user: there are two Enter keys."""
        return ("Enter", "Return") if self.key == "Enter" else (self.qt_key,)

    @property
    def navigates(self) -> bool:
        """Whether the key moves the focus in a panel, and so must keep its meaning there."""
        return self.key.endswith("Tab")


def _choose(index: int, controller: Controller) -> None:
    controller.choose(index)


UNDO = Shortcut(
    "Control-Z",
    lambda c: c.undo(),
    "take back what was done last: a click, a choice, a kept object, a stroke of the brush",
    everywhere=True,
)
REDO = Shortcut("Control-Shift-Z", lambda c: c.redo(), "do it again", everywhere=True)
ACCEPT = Shortcut("Enter", lambda c: c.accept(), "keep the object and start the next")
CANCEL = Shortcut("Escape", lambda c: c.cancel(), "drop the object (undo brings it back)")
DOUBTFUL = Shortcut(
    "W", lambda c: c.volume.go_to_doubtful(), "go to the slice that most needs a look"
)
PROPAGATE = Shortcut(
    "K", lambda c: c.volume.propagate(*c.volume.asked), "propagate to the slices beside this one"
)
NEW = Shortcut("N", lambda c: c.labels.start_new(), "let the next object have the next free number")
REOPEN = Shortcut(
    "J", lambda c: c.labels.reopen_under_cursor(), "refine the finished object under the mouse"
)
CHOOSE = tuple(
    Shortcut(str(k + 1), partial(_choose, k), f"take proposal {k + 1}") for k in range(7)
)
NEXT = Shortcut("Tab", lambda c: c.cycle(1), "take the next proposal that looks different")
PREVIOUS = Shortcut("Shift-Tab", lambda c: c.cycle(-1), "take the one before")
START = Shortcut(
    "G",
    lambda c: c.start(),
    "go on clicking: select the layer of clicks again",
    everywhere=True,
)

LIVE = Shortcut(
    "H", lambda c: c.live.switch(), "show what a click under the mouse would give, or no longer"
)

#: Every shortcut there is.
SHORTCUTS = (
    *CHOOSE, NEXT, PREVIOUS, UNDO, REDO, ACCEPT, CANCEL, NEW, REOPEN, DOUBTFUL, PROPAGATE, LIVE,
    START,
)  # fmt: skip
EVERYWHERE = tuple(shortcut for shortcut in SHORTCUTS if shortcut.everywhere)
#: What the mouse does in the canvas, for the documentation.
MOUSE = (
    ("Left click", "this is part of the object"),
    ("Right click, or Shift or Alt + left click", "this is not part of it"),
    ("Ctrl + left click", "take up a finished object again, to refine it"),
    ("Drag", "move the image; no click is added"),
    ("Rest on a picture in the panel", "see that proposal in the image without taking it"),
)


def bind_keys(layer: Layer, controller: Controller) -> None:
    """Bind all shortcuts to our own layer of clicks."""
    _bind(layer, SHORTCUTS, controller)


def bind_everywhere(to: ViewerModel | Layer, controller: Controller) -> None:
    """Bind those that count everywhere to a viewer, or to the labels that take the objects.

    The labels' own undo knows of strokes of the brush only; ours knows of these as well.
    """
    _bind(to, EVERYWHERE, controller)


def unbind_everywhere(to: ViewerModel | Layer) -> None:
    """Give these keys back."""
    for shortcut in EVERYWHERE:
        with suppress(KeyError):
            to.bind_key(shortcut.key, None, overwrite=True)


def as_markdown() -> str:
    """The page of shortcuts of the documentation; ``scripts/make_shortcuts.py`` writes it."""
    everywhere = [(s.qt_key, s.meaning) for s in EVERYWHERE]
    clicks = [(s.qt_key, s.meaning) for s in SHORTCUTS if not s.everywhere]
    return "\n".join(
        [
            "# Mouse and keys",
            "",
            "<!-- Written by scripts/make_shortcuts.py from napari_piclick/_napari/keys.py. -->",
            "",
            "## Mouse",
            "",
            *_table("in the image", MOUSE),
            "",
            "Clicks count while the layer of clicks is selected, and also while the image itself",
            "or a labels layer is selected in *pan/zoom* mode: then they select the layer of",
            "clicks, so that the keys below count. With a brush in your hand they paint, as ever.",
            "",
            "## Keys, whatever layer is selected",
            "",
            *_table("key", everywhere),
            "",
            "Another labels layer than the one that takes your objects keeps napari's own undo.",
            "",
            "## Keys while the layer of clicks is selected, or the focus is in the panel",
            "",
            *_table("key", clicks),
            "",
            "In the panel Tab goes from one control to the next instead, and shows the proposal it",
            "comes to; Space takes it.",
            "",
        ]
    )


def _table(head: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    return [f"| {head} | what it does |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]


def _bind(to: ViewerModel | Layer, shortcuts: Iterable[Shortcut], controller: Controller) -> None:
    for shortcut in shortcuts:
        to.bind_key(shortcut.key, _on_key(shortcut, controller), overwrite=True)


def _on_key(shortcut: Shortcut, controller: Controller) -> Callable[[Any], None]:
    # What the key is bound to may outlive the panel, and must not keep it alive.
    reference = weakref.ref(controller)

    def press(to: Any) -> None:  # noqa: ARG001 - napari hands over the viewer or layer
        alive = reference()
        if alive is not None:
            shortcut.action(alive)

    return press
