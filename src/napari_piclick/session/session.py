"""The session: clicks, proposals and objects, with one undo for all of it.

It can be scripted, and then answers at once::

    session = Session(load_predictor(), labels=np.zeros(image.shape, np.uint16))
    session.set_image(image)
    session.click(120, 85)
    session.choose(2)
    session.accept()
    session.undo()
    session.labels.data  # to be saved

A window gives it no predictor: it reads the `question`, has it answered elsewhere, and
hands the answer to `receive`, which drops it if the user has gone on in the meantime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.session.accepted import Accepted
from napari_piclick.session.clicking import Clicking
from napari_piclick.session.objects import Objects

if TYPE_CHECKING:
    import numpy as np

    from napari_piclick.predict import ClickPredictor
    from napari_piclick.session.label_edit import LabelEdit
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.step import Step


class Session(Clicking):
    """The unfinished objects of an image, one for each plane, and the labels that take them.

    Parameters
    ----------
    predictor : Predictor, optional
        Answers every question at once. Without it, answers come through `receive`.
    labels : integer array or LabelMap, optional
        Takes accepted objects. An array is changed in place as long as ids fit its type;
        ``session.labels.data`` has them in any case.

    Attributes
    ----------
    objects : Objects
        The finished objects, and what can be done to them.
    ledger : Ledger
        What there is, and the timeline of all that was done.
    changed : psygnal.Signal
        Emitted after every change of what the session shows.
    """

    def __init__(
        self,
        predictor: ClickPredictor | None = None,
        labels: np.ndarray | LabelMap | None = None,
    ) -> None:
        super().__init__(predictor)
        self.objects = Objects(self.ledger, self._here, labels)

    @property
    def labels(self) -> LabelMap | None:
        """The labels that take accepted objects; None if there are none."""
        return self.objects.labels

    def set_labels(self, labels: np.ndarray | LabelMap | None) -> None:
        """Have other labels, or none, take accepted objects; earlier ones keep their undo."""
        self.objects.set_labels(labels)
        self.changed.emit()

    def forget_labels(self, labels: LabelMap) -> None:
        """Let go of what happened to labels that are gone; it cannot be undone."""
        if self.labels is labels:
            self.objects.set_labels(None)
        self.ledger.forget_labels(labels)
        self.changed.emit()

    def accept(self, *, overwrite: bool = False) -> Accepted | None:
        """Finish the object, write it into the labels, and start the next.

        Parameters
        ----------
        overwrite : bool
            Whether it may take pixels from other objects.

        Returns
        -------
        Accepted or None
            None, and nothing changes, if there are no proposals for the clicks yet.

        Raises
        ------
        LabelsError
            If it cannot be written; then nothing changes.
        """
        draft = self.draft
        if draft.proposals is None or draft.prompt is None or self.geometry is None:
            return None
        written = self.objects.accept(overwrite=overwrite)
        return Accepted(draft.prompt, draft.proposals, written)

    def apply(self, edit: LabelEdit, what: str = "change", into: Step | None = None) -> Step:
        """Change the labels; one undo takes it back.

        Parameters
        ----------
        edit : LabelEdit
        what : str
            What it is, in a few words for the user.
        into : Step, optional
            The step of an earlier edit that is to be undone together with this one, as long as
            nothing else was done in between.

        Returns
        -------
        Step
            For the next edit's ``into``.

        Raises
        ------
        LabelsError
            If there are no labels, or they cannot be changed; then nothing is.
        """
        return self.objects.apply(edit, what, into)

    def painted(self, edit: LabelEdit, labels: LabelMap) -> None:
        """Take note of a change of labels that somebody else has made already, with a brush.

        It can be undone like anything else, and the next click refines from it.
        """
        self.objects.painted(edit, labels)
