"""The live preview: what a click under the moving mouse would give, before it is made."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_piclick._napari.clicks_layer import NEGATIVE_MODIFIERS, PICK_MODIFIER
from napari_piclick._napari.world import to_layer
from napari_piclick.clicks import Click
from napari_piclick.session.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from napari.components import ViewerModel

    from napari_piclick._napari.answers import Answers
    from napari_piclick._napari.overlay import Overlay
    from napari_piclick._napari.stream import Worker
    from napari_piclick._napari.viewfinder import Viewfinder
    from napari_piclick.proposals import Proposals
    from napari_piclick.session import Session
    from napari_piclick.session.draft import Draft
    from napari_piclick.session.prompt import Previous
    from napari_piclick.session.source import Source

    Question = tuple[Prompt, Source]

#: So long nothing is asked after a move, in seconds: further ones follow at once.
PAUSE = 0.03
#: A mouse that lingered so long, within so many pixels, has what is under it encoded, in seconds.
REST = 0.25
LINGERED = 64


class LivePreview:
    """Asks what a click under the mouse would give, and shows it; nothing of it is kept.

    One question is on its way at a time, about the latest place of the mouse. What comes back
    after the mouse has left, the plane has changed or anything was clicked is dropped.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    session : Session
    view : Viewfinder
    overlay : Overlay
    answers : Answers
        Its engine is asked, when it has nothing else to do.
    stream : Worker
        Does the asking.

    Attributes
    ----------
    toggled : psygnal.Signal
        Emitted with whether it is on, after it was switched on or off.
    """

    toggled = Signal(bool)

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        view: Viewfinder,
        overlay: Overlay,
        answers: Answers,
        stream: Worker,
    ) -> None:
        self._viewer = viewer
        self._session = session
        self._view = view
        self._overlay = overlay
        self._answers = answers
        self._stream = stream
        self._on = False
        self._asking = False
        self._wanted: Question | None = None
        self._answered: Question | None = None
        self._refined: tuple[Draft, Previous] | None = None
        viewer.mouse_move_callbacks.append(self._on_mouse_moved)
        viewer.events.mouse_over_canvas.connect(self._on_mouse_came_or_left)
        session.changed.connect(self.forget)
        view.plane_changed.connect(self.forget)

    def close(self) -> None:
        """Stop, and listen no more."""
        self._on = False
        self.forget()
        self._stream.close()
        if self._on_mouse_moved in self._viewer.mouse_move_callbacks:
            self._viewer.mouse_move_callbacks.remove(self._on_mouse_moved)
        self._viewer.events.mouse_over_canvas.disconnect(self._on_mouse_came_or_left)
        self._session.changed.disconnect(self.forget)
        self._view.plane_changed.disconnect(self.forget)

    @property
    def on(self) -> bool:
        """Whether it is switched on."""
        return self._on

    def switch(self, on: bool | None = None) -> None:
        """Switch it on or off; by default to what it is not."""
        on = not self._on if on is None else on
        if on != self._on:
            self._on = on
            self.forget()
            self.toggled.emit(on)

    def forget(self) -> None:
        """Show nothing, and drop what is still to come, until the mouse moves again."""
        self._wanted = self._refined = None
        self._overlay.foresee(None)

    def look(self, position: np.ndarray, modifiers: frozenset[str] = frozenset()) -> None:
        """Ask what a click at a place would give.

        Parameters
        ----------
        position : (ndim,) float
            World coordinates of the viewer.
        modifiers : set of str
            Keys that are held, as napari names them.
        """
        self._wanted = self._question(position, modifiers)
        if self._wanted is None:
            self._overlay.foresee(None)
        elif not self._asking:
            self._ask()

    def _question(self, position: np.ndarray, modifiers: frozenset[str]) -> Question | None:
        source, image, session = self._view.source, self._view.image, self._session
        if source is None or image is None or not self._overlay.listening:
            return None
        if session.question is not None or PICK_MODIFIER in modifiers:
            return None
        row, col = source.plane.from_volume(to_layer(image, position, self._viewer.dims))
        click = Click(float(row), float(col), not NEGATIVE_MODIFIERS & modifiers)
        if not click.inside(source.plane.shape):
            return None
        previous = self._previous()
        if previous is None and not click.positive:
            return None
        return Prompt(session.plane, (*session.clicks, click), previous), source

    def _previous(self) -> Previous:
        """The mask that a further click would refine; taken once for each state of the object."""
        draft = self._session.draft
        if self._refined is None or self._refined[0] is not draft:
            further = draft.clicked((*draft.clicks, Click(0, 0)), self._session.proposals)
            self._refined = draft, further.previous
        return self._refined[1]

    def _ask(self) -> None:
        self._asking = True
        self._stream.run(self._work, self._on_foreseen, self._on_end)

    def _work(self) -> Generator[tuple[Question, Proposals | None], None, None]:
        """Ask about the place where the mouse is by now; this runs beside the window."""
        sleep(PAUSE)
        wanted = self._wanted
        if wanted is None:
            return
        engine = self._answers.engine
        found = engine.foresee(*wanted)
        if found is None:
            first = wanted
            for _ in range(round(REST / PAUSE)):
                sleep(PAUSE)
                wanted = self._wanted
                if wanted is None or not _lingered(first, wanted):
                    return
            found = engine.foresee(*wanted, encode=True)
        yield wanted, found

    def _on_foreseen(self, result: tuple[Question, Proposals | None]) -> None:
        self._answered, proposals = result
        # the mouse may have gone on by now, but on the same plane and with the same clicks
        if self._wanted is not None and _alike(self._wanted, self._answered):
            self._overlay.foresee(proposals)

    def _on_end(self, sentence: str) -> None:
        self._asking = False
        if sentence:  # the click itself will say it; the same question would only fail again
            self._wanted = None
        if self._wanted is not None and self._wanted is not self._answered:
            self._ask()

    def _on_mouse_moved(self, viewer: ViewerModel, event: Any) -> None:
        del viewer
        if self._on:
            held = frozenset(str(getattr(key, "name", key)) for key in event.modifiers)
            self.look(event.position, held)

    def _on_mouse_came_or_left(self) -> None:
        if not self._viewer.mouse_over_canvas:
            self.forget()


def _alike(question: Question, other: Question) -> bool:
    """Whether two questions differ at most in where the mouse was."""
    (now, here), (then, there) = question, other
    same_object = now.clicks[:-1] == then.clicks[:-1] and now.previous is then.previous
    return same_object and now.plane == then.plane and here.key == there.key


def _lingered(first: Question, last: Question) -> bool:
    """Whether the mouse stayed near where it was."""
    (now, _), (then, _) = last, first
    here, there = now.clicks[-1], then.clicks[-1]
    moved = max(abs(here.row - there.row), abs(here.col - there.col))
    return _alike(first, last) and moved <= LINGERED
