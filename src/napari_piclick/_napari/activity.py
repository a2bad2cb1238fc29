"""The activity: one line of napari's activity dock, while something goes on."""

from __future__ import annotations

from io import StringIO

from napari.utils import progress
from qtpy.QtCore import QTimer

#: What goes on, and how far it is: steps done, and all, or 0 where nobody knows.
State = tuple[str, int, int]
#: Work shorter than this is not told of, in milliseconds: napari's line costs time of its own.
PATIENCE = 400


class Activity:
    """A line that comes with `show` and goes with `close`; for the main thread only.

    It comes after a moment, and otherwise changes at the next turn of the event loop, because
    napari's line works off all events that wait: it must not be touched in the middle of anything.
    """

    def __init__(self) -> None:
        self._line: progress | None = None
        self._wanted: State | None = None
        self._shown: State | None = None
        self._busy = False
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._draw)

    def show(self, what: str, done: int = 0, total: int = 0) -> None:
        """Tell what goes on, and how far it is.

        Parameters
        ----------
        what : str
            In a few words.
        done, total : int
            Steps; a total of 0 where nobody knows.
        """
        self._want((what, done, total))

    def close(self) -> None:
        """Take the line away."""
        self._want(None)

    def _want(self, state: State | None) -> None:
        self._wanted = state
        if self._busy or state == self._shown:
            return
        if self._shown is not None:
            self._timer.start(0)
        elif not self._timer.isActive():
            self._timer.start(PATIENCE)

    def _draw(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            while self._shown != self._wanted:
                before, self._shown = self._shown, self._wanted
                self._change(before, self._shown)
        finally:
            self._busy = False

    def _change(self, before: State | None, now: State | None) -> None:
        line = self._line
        if line is not None and (now is None or before is None or before[2] != now[2]):
            self._line = None
            line.close()
        if now is None:
            return
        what, done, total = now
        if self._line is None:
            # the same line would otherwise be printed in the terminal
            self._line = progress(desc=what, total=total, file=StringIO(), leave=False)
        elif before is not None and what != before[0]:
            self._line.set_description(what)
        if self._line is not None and total and done != self._line.n:
            self._line.update(done - self._line.n)
