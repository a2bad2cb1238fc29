"""Clicking: the unfinished objects, one for each plane, with their clicks and proposals."""

from __future__ import annotations

from operator import index as as_int
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_piclick.clicks import Click
from napari_piclick.session.drafts import BLANK
from napari_piclick.session.ledger import Ledger
from napari_piclick.session.place import plane_of
from napari_piclick.session.prompt import Prompt
from napari_piclick.session.step import Step

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from napari_piclick.plane import Plane
    from napari_piclick.predict import ClickPredictor
    from napari_piclick.proposals import Proposals
    from napari_piclick.session.draft import Draft


class Clicking:
    """The half of a `Session` that needs no labels.

    Parameters
    ----------
    predictor : Predictor, optional
        Answers every question at once. Without it, answers come through `receive`.
    """

    changed = Signal()

    def __init__(self, predictor: ClickPredictor | None = None) -> None:
        self.ledger = Ledger(self._on_moved)
        self._predictor = predictor
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
            self.ledger.forget_plane(self._plane)
        self.show(key if key is not None else _Unnamed(), (int(height), int(width)))

    def show(self, plane: Hashable, shape: tuple[int, int]) -> None:
        """Go to a plane of ``shape`` (height, width); what was unfinished there is found again."""
        if plane != self._plane:
            self.ledger.rest(self._plane)
        self._plane, self._shape = plane, shape
        self._ask()
        self.changed.emit()

    def hide(self) -> None:
        """Leave the plane, for none; what is unfinished stays."""
        self.ledger.rest(self._plane)
        self._plane = self._shape = None
        self.changed.emit()

    def forget(self, plane: Hashable) -> None:
        """Let go of what is unfinished on a plane; it cannot be undone."""
        if self.ledger.forget_plane(plane):
            self.changed.emit()

    # -- what is shown --------------------------------------------------------------------

    @property
    def plane(self) -> Hashable:
        """The current plane, or None."""
        return self._plane

    @property
    def geometry(self) -> Plane | None:
        """Where the current plane lies in the image and in the labels, or None."""
        return None if self._shape is None else plane_of(self._plane, self._shape)

    @property
    def clicks(self) -> tuple[Click, ...]:
        """The clicks on the object, in the order they were made."""
        return self.draft.clicks

    @property
    def draft(self) -> Draft:
        """The unfinished object on the current plane; a blank one if there is none."""
        return self.ledger.drafts.on(self._plane)

    @property
    def proposals(self) -> Proposals | None:
        """The proposals to show: those for the clicks, or, until they come, the last ones."""
        if not self.draft.clicks:
            return None
        for draft in (self.draft, *self.ledger.earlier(self._plane)):
            if draft.proposals is not None:
                return draft.proposals
            if not draft.clicks:
                return None
        return None

    @property
    def question(self) -> Prompt | None:
        """The question that waits for an answer, or None."""
        draft = self.draft
        if self._plane is None or draft.proposals is not None or not draft.askable:
            return None
        return Prompt(self._plane, draft.clicks, draft.previous)

    @property
    def can_undo(self) -> bool:
        """Whether `undo` would change anything."""
        return bool(self.ledger.timeline.past)

    @property
    def can_redo(self) -> bool:
        """Whether `redo` would change anything."""
        return bool(self.ledger.timeline.future)

    @property
    def planes(self) -> tuple[Hashable, ...]:
        """The planes on which there is anything, even if only to undo."""
        return self.ledger.planes

    @property
    def unfinished(self) -> tuple[Hashable, ...]:
        """The planes on which there are clicks that were neither accepted nor cancelled."""
        return self.ledger.drafts.unfinished

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
        return self.set_clicks((*self.clicks, Click(row, col, positive)))

    def set_clicks(self, clicks: Sequence[Click]) -> Prompt | None:
        """Take other clicks for the object; see `click`.

        If they add to the present ones, the mask chosen so far is refined; if one was moved
        or taken away, the object is predicted afresh.
        """
        clicks = tuple(Click(float(c.row), float(c.col), bool(c.positive)) for c in clicks)
        if self._shape is None:
            raise ValueError("There is no image to click on.")
        outside = [click for click in clicks if not click.inside(self._shape)]
        if outside:
            raise ValueError(
                f"The click at row {outside[0].row:.0f}, column {outside[0].col:.0f} lies outside "
                f"the image of {self._shape[0]} x {self._shape[1]} pixels."
            )
        self._push("click", self.draft.clicked(clicks, self.proposals))
        return self.question

    def choose(self, index: int) -> bool:
        """Choose a proposal, counted from zero; False if there is none with that number."""
        draft, index = self.draft, as_int(index)
        if draft.proposals is None or not 0 <= index < len(draft.proposals):
            return False
        if index != draft.proposals.chosen:
            self._push("choice", draft.choose(index))
        return True

    def undo(self) -> Step | None:
        """Take back what was done last, on whichever plane; None if there is nothing.

        What somebody else changed in the labels since then stays as it is.

        Returns
        -------
        Step or None
            What was taken back; its ``place`` is the plane to look at.

        Raises
        ------
        LabelsError
            If the labels cannot be changed; then nothing is.
        """
        return self.ledger.undo()

    def redo(self) -> Step | None:
        """Do again what was undone; see `undo`."""
        return self.ledger.redo()

    def cancel(self) -> bool:
        """Drop the object; `undo` brings it back. False if there is none."""
        if self.draft.blank:
            return False
        self._push("cancelled object", BLANK)
        return True

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
        taken = self.ledger.fill(prompt, proposals)
        if taken:
            self.changed.emit()
        return taken

    # -- inside ---------------------------------------------------------------------------

    def _here(self) -> tuple[Hashable, Plane | None]:
        return self._plane, self.geometry

    def _push(self, what: str, draft: Draft) -> None:
        if self._plane is not None and draft is not self.draft:
            self.ledger.do(Step(what, self._plane, {self._plane: (self.draft, draft)}))

    def _on_moved(self) -> None:
        self._ask()
        self.changed.emit()

    def _ask(self) -> None:
        """Have the question answered at once, where there is a predictor."""
        question = self.question
        if self._predictor is None or question is None:
            return
        proposals = self._predictor.predict(question.clicks, question.previous)
        prompt = question.answered_by(self._predictor.name, self._predictor.weights_hash)
        self.ledger.fill(prompt, proposals)


class _Unnamed:
    """Stands for a plane that was given no key."""
