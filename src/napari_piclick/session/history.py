"""The history: undo and redo as a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

State = TypeVar("State")


@dataclass(frozen=True)
class History(Generic[State]):
    """A present state with those before it and those that were undone.

    Parameters
    ----------
    present : State
        What counts now.
    past : tuple of State
        Earlier states, the oldest first.
    future : tuple of State
        Undone states, the next to be redone first.
    """

    present: State
    past: tuple[State, ...] = ()
    future: tuple[State, ...] = ()

    def push(self, state: State) -> History[State]:
        """Move on to a new state; what had been undone is forgotten."""
        return History(state, (*self.past, self.present))

    def amend(self, state: State) -> History[State]:
        """The same history with another present."""
        return replace(self, present=state)

    def map(self, change: Callable[[State], State]) -> History[State]:
        """The same history with every state changed."""
        return History(
            change(self.present), tuple(map(change, self.past)), tuple(map(change, self.future))
        )

    def undo(self) -> History[State]:
        """One step back, or the same history if there is none."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> History[State]:
        """One step forward, or the same history if there is none."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])
