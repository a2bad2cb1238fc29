"""The timeline: undo and redo as a value, over everything that was done, in its order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

#: So many steps can be undone at most, and they take no more memory than this, in bytes.
LEVELS = 1000
MEMORY = 2**28


class Sized(Protocol):
    """A step knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Memory taken."""


StepT = TypeVar("StepT", bound=Sized)


@dataclass(frozen=True)
class Timeline(Generic[StepT]):
    """The steps that were done, and those that were undone.

    Parameters
    ----------
    past : tuple of Step
        The oldest first.
    future : tuple of Step
        Undone steps, the next to be redone first.
    """

    past: tuple[StepT, ...] = ()
    future: tuple[StepT, ...] = ()

    @property
    def last(self) -> StepT | None:
        """The step that `undo` takes back."""
        return self.past[-1] if self.past else None

    @property
    def next(self) -> StepT | None:
        """The step that `redo` does again."""
        return self.future[0] if self.future else None

    def push(self, step: StepT, *, levels: int = LEVELS, memory: int = MEMORY) -> Timeline[StepT]:
        """Add a step; undone ones are forgotten, and so are the oldest beyond the limits.

        The step itself is kept, however large it is.
        """
        return Timeline((*self.past, step)).within(levels, memory)

    def amend(self, step: StepT, *, levels: int = LEVELS, memory: int = MEMORY) -> Timeline[StepT]:
        """The same timeline with another last step."""
        return Timeline((*self.past[:-1], step), self.future).within(levels, memory)

    def undo(self) -> Timeline[StepT]:
        """One step back, or the same timeline if there is none."""
        if not self.past:
            return self
        return Timeline(self.past[:-1], (self.past[-1], *self.future))

    def redo(self) -> Timeline[StepT]:
        """One step forward, or the same timeline if there is none."""
        if not self.future:
            return self
        return Timeline((*self.past, self.future[0]), self.future[1:])

    def map(self, change: Callable[[StepT], StepT | None]) -> Timeline[StepT]:
        """The same timeline with every step changed; None takes it out."""
        past, future = (
            tuple(step for step in map(change, side) if step is not None)
            for side in (self.past, self.future)
        )
        return Timeline(past, future)

    def within(self, levels: int, memory: int) -> Timeline[StepT]:
        """The same timeline without its oldest steps that are beyond the limits."""
        total = 0

        def fits(step: StepT) -> bool:
            nonlocal total
            first = total == 0
            total += max(step.nbytes, 1)
            return first or total <= memory

        kept = sum(1 for _ in takewhile(fits, reversed(self.past[-levels:])))
        return self if kept == len(self.past) else replace(self, past=self.past[-kept:])
