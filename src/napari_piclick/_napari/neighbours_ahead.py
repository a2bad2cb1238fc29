"""The neighbours ahead: slices beside the one in view are encoded before anybody clicks there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_piclick._napari.stream import Worker
    from napari_piclick.session.engine import Engine
    from napari_piclick.session.plane_stack import PlaneStack

#: So many slices on each side are encoded.
AHEAD = 2


class NeighboursAhead:
    """Encodes the slices beside one, the nearest first.

    Parameters
    ----------
    stream : Worker
        Does it beside the questions.
    """

    def __init__(self, stream: Worker) -> None:
        self._stream = stream

    def encode(self, engine: Engine, stack: PlaneStack) -> None:
        """Encode the neighbours of a stack's slice in view, instead of any that are under way."""
        here = stack.position
        beside = [here + sign * k for k in range(1, AHEAD + 1) for sign in (1, -1)]

        def work() -> Generator[None, None, None]:
            predictor = engine.another()
            for index in beside:
                if 0 <= index < len(stack):
                    stack.source(index).encode_ahead(predictor)
                    yield None

        self._stream.run(work, lambda _: None, lambda _: None)

    def stop(self) -> None:
        """Leave the rest."""
        self._stream.stop()

    def close(self) -> None:
        """Stop for good."""
        self._stream.close()
