"""The drafts: the unfinished objects of all planes, each with its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.session.draft import Draft
from napari_piclick.session.history import History

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_piclick.proposals import Proposals
    from napari_piclick.session.prompt import Prompt

#: So many answers around the present are kept whole; further ones are asked again when needed.
KEPT_ANSWERS = 4

_NOTHING: History[Draft] = History(Draft())


class Drafts:
    """One history of drafts for each plane on which anything was clicked."""

    def __init__(self) -> None:
        self._histories: dict[Hashable, History[Draft]] = {}

    @property
    def planes(self) -> tuple[Hashable, ...]:
        """The planes on which there is anything, even if only to undo."""
        return tuple(self._histories)

    @property
    def unfinished(self) -> tuple[Hashable, ...]:
        """The planes on which there are clicks."""
        return tuple(plane for plane, past in self._histories.items() if past.present.clicks)

    def on(self, plane: Hashable) -> History[Draft]:
        """The history of a plane; an empty one if nothing happened there."""
        return self._histories.get(plane, _NOTHING)

    def put(self, plane: Hashable, history: History[Draft]) -> None:
        """Take another history for a plane, and keep only the answers near its present."""
        self._histories[plane] = _lighten(history, KEPT_ANSWERS)

    def rest(self, plane: Hashable) -> None:
        """Keep only the present answer of a plane that is left."""
        if plane in self._histories:
            self._histories[plane] = _lighten(self._histories[plane], 1)

    def drop(self, plane: Hashable) -> bool:
        """Let go of all that happened on a plane; False if that was nothing."""
        return self._histories.pop(plane, None) is not None

    def fill(self, prompt: Prompt, proposals: Proposals) -> bool:
        """Give an answer to the drafts of its plane that wait for it; False if none does."""
        history = self.on(prompt.plane)
        waiting = [draft for draft in _all(history) if draft.asks(prompt)]
        if waiting:
            self.put(
                prompt.plane,
                history.map(
                    lambda draft: draft.answer(prompt, proposals) if draft in waiting else draft
                ),
            )
        return bool(waiting)


def _all(history: History[Draft]) -> tuple[Draft, ...]:
    return (*history.past, history.present, *history.future)


def _lighten(history: History[Draft], keep: int) -> History[Draft]:
    """Let go of answers ``keep`` or more steps from the present."""
    first, last = max(len(history.past) - keep + 1, 0), keep - 1
    past, future = history.past, history.future
    return History(
        history.present,
        (*(draft.unanswered() for draft in past[:first]), *past[first:]),
        (*future[:last], *(draft.unanswered() for draft in future[last:])),
    )
