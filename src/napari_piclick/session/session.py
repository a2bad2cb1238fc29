"""The session: clicks, proposals and the choice among them, with undo and redo.

It can be scripted, and then answers at once::

    session = Session(load_predictor())
    session.set_image(image)
    session.click(120, 85)
    session.choose(2)
    mask = session.mask()

A window gives it no predictor: it reads the `question`, has it answered elsewhere, and
hands the answer to `receive`, which drops it if the user has gone on in the meantime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_piclick.clicks import Click
from napari_piclick.session.accepted import Accepted
from napari_piclick.session.draft import Draft, only_chosen
from napari_piclick.session.drafts import Drafts
from napari_piclick.session.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from napari_piclick.predict import ClickPredictor
    from napari_piclick.proposals import Proposals
    from napari_piclick.session.history import History
    from napari_piclick.session.prompt import Previous


class Session:
    """The unfinished objects of an image, one for each plane; one plane is current.

    Parameters
    ----------
    predictor : Predictor, optional
        Answers every question at once. Without it, answers come through `receive`.

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted after every change of what the session shows.
    """

    changed = Signal()

    def __init__(self, predictor: ClickPredictor | None = None) -> None:
        self._predictor = predictor
        self._drafts = Drafts()
        self._plane: Hashable = None
        self._shape: tuple[int, int] | None = None

    # -- which plane ----------------------------------------------------------------------

    def set_image(
        self,
        image: Any,
        *,
        contrast_limits: tuple[float, float] | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        """Go to another image, one plane; what was unfinished there is found again.

        Parameters
        ----------
        image : array-like
            (H, W) or (H, W, 3 or 4), numpy or lazy.
        contrast_limits : (low, high), optional
            Values seen as black and white; robust percentiles otherwise.
        rgb : bool, optional
            Whether the last axis holds colours; guessed from the shape if not said.
        key : hashable, optional
            Identity of the plane. Without it every call starts afresh.

        Raises
        ------
        ValueError
            If the image is not one plane.
        """
        if self._predictor is not None:
            self._predictor.set_image(image, contrast_limits=contrast_limits, rgb=rgb, key=key)
        height, width = image.shape[:2]
        if isinstance(self._plane, _Unnamed):
            self._drafts.drop(self._plane)
        self.show(key if key is not None else _Unnamed(), (int(height), int(width)))

    def show(self, plane: Hashable, shape: tuple[int, int]) -> None:
        """Go to a plane of ``shape`` (height, width); what was unfinished there is found again."""
        if plane != self._plane:
            self._drafts.rest(self._plane)
        self._plane, self._shape = plane, shape
        self._ask()
        self.changed.emit()

    def hide(self) -> None:
        """Leave the plane, for none; what is unfinished stays."""
        self._drafts.rest(self._plane)
        self._plane = self._shape = None
        self.changed.emit()

    def forget(self, plane: Hashable) -> None:
        """Let go of what is unfinished on a plane; it cannot be undone."""
        if self._drafts.drop(plane):
            self.changed.emit()

    # -- what is shown --------------------------------------------------------------------

    @property
    def plane(self) -> Hashable:
        """The current plane, or None."""
        return self._plane

    @property
    def clicks(self) -> tuple[Click, ...]:
        """The clicks on the object, in the order they were made."""
        return self._history.present.clicks

    @property
    def proposals(self) -> Proposals | None:
        """The proposals to show: those for the clicks, or, until they come, the last ones."""
        history = self._history
        if not history.present.clicks:
            return None
        for draft in (history.present, *reversed(history.past)):
            if draft.proposals is not None:
                return draft.proposals
            if not draft.clicks:
                return None
        return None

    @property
    def question(self) -> Prompt | None:
        """The question that waits for an answer, or None."""
        draft = self._history.present
        if self._plane is None or draft.proposals is not None or not draft.askable:
            return None
        return Prompt(self._plane, draft.clicks, draft.previous)

    @property
    def can_undo(self) -> bool:
        """Whether `undo` would change anything."""
        return bool(self._history.past)

    @property
    def can_redo(self) -> bool:
        """Whether `redo` would change anything."""
        return bool(self._history.future)

    @property
    def planes(self) -> tuple[Hashable, ...]:
        """The planes on which there is anything, even if only to undo."""
        return self._drafts.planes

    @property
    def unfinished(self) -> tuple[Hashable, ...]:
        """The planes on which there are clicks that were neither accepted nor cancelled."""
        return self._drafts.unfinished

    def mask(self) -> np.ndarray:
        """(H, W) bool: the chosen proposal on the current plane; empty if there is none.

        Raises
        ------
        ValueError
            If there is no plane.
        """
        if self._shape is None:
            raise ValueError("There is no image yet: call set_image first.")
        shown = self.proposals
        return np.zeros(self._shape, bool) if shown is None else shown.plane_mask()

    # -- what the user does ---------------------------------------------------------------

    def click(self, row: float, col: float, positive: bool = True) -> Prompt | None:
        """Click on the object (positive) or on what should be left out.

        Returns
        -------
        Prompt or None
            The question to be answered; None if it was answered, or if there is nothing to
            ask yet because no click lies on the object.

        Raises
        ------
        ValueError
            If there is no plane, or the click lies outside it.
        """
        return self.set_clicks((*self.clicks, Click(float(row), float(col), positive)))

    def set_clicks(self, clicks: Sequence[Click]) -> Prompt | None:
        """Take other clicks for the object; see `click`.

        If they add to the present ones, the mask chosen so far is refined; if one was moved
        or taken away, the object is predicted afresh.
        """
        clicks = tuple(clicks)
        if self._shape is None:
            raise ValueError("There is no image to click on.")
        outside = [click for click in clicks if not click.inside(self._shape)]
        if outside:
            raise ValueError(
                f"The click at row {outside[0].row:.0f}, column {outside[0].col:.0f} lies outside "
                f"the image of {self._shape[0]} x {self._shape[1]} pixels."
            )
        present = self._history.present
        previous: Previous = None
        if clicks[: len(present.clicks)] == present.clicks:
            shown = self.proposals
            previous = present.previous if shown is None else only_chosen(shown)
        self._push(Draft(clicks, previous))
        return self.question

    def choose(self, index: int) -> bool:
        """Choose a proposal, counted from zero; False if there is none with that number."""
        draft = self._history.present
        if draft.proposals is None or not 0 <= index < len(draft.proposals):
            return False
        if index != draft.proposals.chosen:
            self._push(draft.choose(index))
        return True

    def undo(self) -> bool:
        """Take back the last click, choice or cancellation; False if there is none."""
        return self._move(self._history.undo())

    def redo(self) -> bool:
        """Do again what was undone; False if there is nothing."""
        return self._move(self._history.redo())

    def cancel(self) -> bool:
        """Drop the object; `undo` brings it back. False if there is none."""
        if not self._history.present.clicks:
            return False
        self._push(Draft())
        return True

    def accept(self) -> Accepted | None:
        """Finish the object and start the next.

        Returns
        -------
        Accepted or None
            None, and nothing changes, if there are no proposals for the clicks yet.
        """
        draft = self._history.present
        if draft.proposals is None or draft.prompt is None:
            return None
        accepted = Accepted(draft.prompt, draft.proposals)
        self._drafts.drop(self._plane)
        self.changed.emit()
        return accepted

    # -- what a predictor says ------------------------------------------------------------

    def receive(self, prompt: Prompt, proposals: Proposals) -> bool:
        """Take the answer to a question.

        The answer to an earlier question on the same plane is kept for `undo` and never
        takes the place of a newer one.

        Returns
        -------
        bool
            False if the answer was dropped, because the user has left its plane or taken
            back its clicks.
        """
        here = self._plane is not None and prompt.plane == self._plane
        if not here or proposals.plane_shape != self._shape:
            return False
        taken = self._drafts.fill(prompt, proposals)
        if taken:
            self.changed.emit()
        return taken

    # -- inside ---------------------------------------------------------------------------

    @property
    def _history(self) -> History[Draft]:
        return self._drafts.on(self._plane)

    def _push(self, draft: Draft) -> None:
        self._move(self._history.push(draft))

    def _move(self, history: History[Draft]) -> bool:
        if history is self._history or self._plane is None:
            return False
        self._drafts.put(self._plane, history)
        self._ask()
        self.changed.emit()
        return True

    def _ask(self) -> None:
        """Have the question answered at once, where there is a predictor."""
        question = self.question
        if self._predictor is None or question is None:
            return
        proposals = self._predictor.predict(question.clicks, question.previous)
        prompt = question.answered_by(self._predictor.name, self._predictor.weights_hash)
        self._drafts.fill(prompt, proposals)


class _Unnamed:
    """Stands for a plane that was given no key."""
