"""The shared predictor: one model, used by several threads, each with a plane of its own."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from napari_piclick.clicks import Click
    from napari_piclick.predict import ClickPredictor
    from napari_piclick.proposals import Proposals


class SharedPredictor:
    """A predictor that is used here and elsewhere; what is answered is about the plane set here.

    Parameters
    ----------
    predictor : ClickPredictor
    turn : Turn, optional
        Shared by all who use it.

    Attributes
    ----------
    name, weights_hash : str
        Of the model.
    """

    def __init__(self, predictor: ClickPredictor, turn: Turn | None = None) -> None:
        self.name = predictor.name
        self.weights_hash = predictor.weights_hash
        self._predictor = predictor
        self._turn = turn or Turn()
        self._image: tuple[Any, dict[str, Any]] | None = None

    def again(self) -> SharedPredictor:
        """The same predictor for somebody else, who has another plane."""
        return SharedPredictor(self._predictor, self._turn)

    @property
    def device(self) -> str:
        """Where the model runs."""
        return self._predictor.device

    def set_image(self, image: Any, **how: Any) -> None:
        """Take a plane; see `ClickPredictor.set_image`. If that fails, the one before stays."""
        with self._turn.lock:
            self._turn.user = None  # nobody knows what the predictor holds if this fails
            self._predictor.set_image(image, **how)
            self._turn.user = self
            self._image = image, how

    def prefetch(self, image: Any, **how: Any) -> None:
        """Do what can be done ahead for another plane."""
        self._predictor.prefetch(image, **how)

    def glance(
        self,
        image: Any,
        clicks: Sequence[Click],
        previous: Proposals | np.ndarray | None = None,
        **how: Any,
    ) -> Proposals | None:
        """What clicks would be answered at a first look, if that is quick; see `Predictor.glance`.

        Models that keep nothing of an image cannot tell.
        """
        look = getattr(self._predictor, "glance", None)
        found: Proposals | None = None if look is None else look(image, clicks, previous, **how)
        return found

    def predict(
        self, clicks: Sequence[Click], previous: Proposals | np.ndarray | None = None
    ) -> Proposals:
        """Answer clicks on the plane that was set here, whatever others have set since."""
        with self._turn.lock:
            if self._turn.user is not self and self._image is not None:
                image, how = self._image
                self.set_image(image, **how)  # quick: what was encoded is kept
            return self._predictor.predict(clicks, previous)


class Turn:
    """Whose plane the predictor holds."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.user: SharedPredictor | None = None
