"""The fine-tuning panel: a model made better at one image, from the objects labelled on it."""

from __future__ import annotations

import re
import tempfile
from html import escape
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from napari.qt.threading import create_worker
from napari.utils.notifications import show_info
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QFormLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_piclick._napari.activity import Activity
from napari_piclick._napari.failure import Failure, guarded
from napari_piclick._qt import strings
from napari_piclick.weights import store

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import numpy as np

    from napari_piclick.session.labelled_planes import LabelledPlanes
    from napari_piclick.train.fine_tune import FineTuning, Progress
    from napari_piclick.weights.store import Stored

    Made = tuple[FineTuning, int, Stored]


def fine_tuning(
    planes: list[tuple[np.ndarray, np.ndarray]], output: Path, limits: tuple[float, float] | None
) -> FineTuning:
    """A fine-tuning of PiClick-Tiny on labelled planes."""
    from napari_piclick.train.fine_tune import FineTuning  # torch takes its time

    return FineTuning(planes, output, limits=limits)


class FineTunePanel(QWidget):
    """Fine-tunes PiClick-Tiny on the labels of the current image, in the background.

    Parameters
    ----------
    planes : callable
        Gives the labelled planes of the current image, or None if there are none.
    make : callable, optional
        Makes the run from planes, the file to write, and contrast limits.

    Attributes
    ----------
    added : Signal
        With the name of the model that was made.
    """

    added = Signal(str)

    def __init__(
        self,
        planes: Callable[[], LabelledPlanes | None],
        make: Callable[..., FineTuning] = fine_tuning,
    ) -> None:
        super().__init__()
        self._planes, self._make = planes, make
        self._stopped = Event()
        self.destroyed.connect(self._stopped.set)
        self._activity = Activity()
        self.text = QLabel(strings.FINE_TUNE_TEXT)
        self.text.setWordWrap(True)
        self.name = QLineEdit()
        self.name.setPlaceholderText(strings.FINE_TUNE_NAME_HINT)
        self.name.setToolTip(strings.FINE_TUNE_NAME_TIP)
        self.name.setAccessibleName(strings.FINE_TUNE_NAME)
        self.button = QPushButton(strings.FINE_TUNE)
        self.button.setToolTip(strings.FINE_TUNE_TIP)
        self.button.clicked.connect(self.start)
        self.bar = QProgressBar()
        self.bar.hide()
        self.stop = QPushButton(strings.FINE_TUNE_STOP)
        self.stop.setToolTip(strings.FINE_TUNE_STOP_TIP)
        self.stop.clicked.connect(self.cancel)
        self.stop.hide()
        self.state = QLabel()
        self.state.setWordWrap(True)
        fields = QFormLayout()
        fields.addRow(strings.FINE_TUNE_NAME, self.name)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        layout.addLayout(fields)
        for part in (self.button, self.bar, self.stop, self.state):
            layout.addWidget(part)

    def start(self) -> None:
        """Begin to fine-tune on the labels as they are now."""
        planes = self._planes()
        if planes is None:
            self.state.setText(strings.FINE_TUNE_NO_LABELS)
            return
        name = self.name.text().strip() or _free_name(planes.name)
        try:
            store.check_free(name)
        except ValueError as error:
            self.state.setText(escape(str(error)))
            return
        self.name.setText(name)
        self._show_busy(True)
        self.state.setText(strings.FINE_TUNE_BEGINS)
        self._stopped.clear()
        create_worker(
            guarded,
            lambda: self._work(planes, name),
            _connect={"yielded": self._on_step, "returned": self._on_returned},
            _ignore_errors=True,
        )

    def cancel(self) -> None:
        """Stop; nothing is kept of what was learned."""
        self._stopped.set()
        if not self.button.isEnabled():
            self.stop.setEnabled(False)
            self.state.setText(strings.FINE_TUNE_STOPPING)

    def _work(self, planes: LabelledPlanes, name: str) -> Generator[Progress, None, Made | None]:
        """Do it; this runs outside the window's thread.

        A worker that is told to quit leaves its work as it stands, with all its memory and files,
        and tells nothing if that was the last step. So the work itself ends when it is to stop.
        """
        pictures = planes.read()
        limits = None if planes.plane.rgb else planes.contrast_limits
        with tempfile.TemporaryDirectory(prefix="piclick-") as folder:
            output = Path(folder) / f"{name}.safetensors"
            run = self._make(pictures, output, limits)
            for progress in run:
                yield progress
                if self._stopped.is_set():
                    return None
            return run, len(pictures), store.add(output, name)

    def _on_step(self, progress: Progress) -> None:
        self.bar.setRange(0, progress.steps)
        self.bar.setValue(progress.step)
        self.state.setText(strings.fine_tuning(progress.step, progress.steps))
        self._activity.show(strings.FINE_TUNING_ACTIVITY, progress.step, progress.steps)

    def _on_returned(self, result: Made | Failure | None) -> None:
        if result is None:
            self._on_stopped()
        elif isinstance(result, Failure):
            self._on_failed(result.sentence)
        else:
            self._on_done(result)

    def _on_done(self, result: Made) -> None:
        run, count, model = result
        self._show_busy(False)
        before, after = (
            None if each is None else tuple(float(iou) for iou in each.picked)
            for each in (run.before, run.after)
        )
        self.state.setText(strings.fine_tuned(model.name, count, run.held_out, before, after))
        self.name.clear()
        show_info(strings.added(model.name))
        self.added.emit(model.name)

    def _on_failed(self, sentence: str) -> None:
        self._show_busy(False)
        self.state.setText(escape(sentence))

    def _on_stopped(self) -> None:
        self._show_busy(False)
        self.state.setText(strings.FINE_TUNE_STOPPED)

    def _show_busy(self, busy: bool) -> None:
        self.button.setEnabled(not busy)
        self.name.setEnabled(not busy)
        self.bar.setRange(0, 0)
        self.bar.setVisible(busy)
        self.stop.setEnabled(True)
        self.stop.setVisible(busy)
        if busy:
            self._activity.show(strings.FINE_TUNING_ACTIVITY)
        else:
            self._activity.close()


def _free_name(image: str) -> str:
    """A name after the image's that no model has yet."""
    base = re.sub(r"[^\w.+-]+", "-", image).strip("-.") or "image"
    base = base if re.match(r"[A-Za-z0-9]", base) else f"image-{base}"
    taken = store.stored()
    names = (f"{base}-tuned{'' if k == 1 else f'-{k}'}" for k in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
