"""A saved session: labels and the prompts that made them, in one file, to go on from later.

It is a ZIP archive, so that anybody can look inside, with

``labels.tif``
    The labels, as TIFF, in the axis order of the image.
``prompts.json``
    ``version``, the ``image`` (name, shape, type, fingerprint), ``spacing``, the ``classes`` with
    their colours, and ``objects``: for each id its class and how it was made, plane by plane:
    the clicks, the choices among proposals, the mask they started from, the model's name, the
    SHA-256 of its weights, the predicted IoU.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_piclick.io.whole_file import whole_file
from napari_piclick.session.codec import as_json, record_from_json, record_to_json
from napari_piclick.session.image_identity import ImageIdentity
from napari_piclick.session.step import Step

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path

    from napari_piclick.session.record import Record
    from napari_piclick.session.session import Session

VERSION = 1
SUFFIX = ".piclick"


class SavedSessionError(ValueError):
    """A saved session cannot be read; the message is one sentence for the user."""


@dataclass(frozen=True, eq=False)
class SavedSession:
    """Labels, and what is known about their objects.

    Parameters
    ----------
    image : ImageIdentity
    labels : integer array
    records : mapping of id to Record
    classes : mapping of name to colour
    spacing : tuple of float, optional
        Size of a voxel along each axis of the labels.
    """

    image: ImageIdentity
    labels: np.ndarray
    records: Mapping[int, Record] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    spacing: tuple[float, ...] | None = None

    def save(self, path: Path) -> None:
        """Write the file; an older one is replaced only once this one is whole.

        Raises
        ------
        VolumeError
            If it cannot be written.
        """
        about = {
            "version": VERSION,
            "image": self.image.as_json(),
            "spacing": self.spacing,
            "classes": dict(self.classes),
            "objects": {str(label): record_to_json(r) for label, r in self.records.items()},
        }
        with (
            whole_file(path) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
        ):
            picture = io.BytesIO()
            tifffile.imwrite(picture, self.labels, compression="zlib", metadata=None)
            archive.writestr("labels.tif", picture.getbuffer())
            archive.writestr("prompts.json", as_json(about, indent=1))

    def resume(self, session: Session) -> None:
        """Go on from here: a session whose labels are these learns what is known of them.

        Together with the step that brought the labels, if that was the last, it is undone at once.
        """
        for name, color in self.classes.items():
            session.objects.classes.add(name, color)
        if session.labels is not None:
            records = {label: (None, record) for label, record in self.records.items()}
            step = Step("opened session", records=records, labels=session.labels)
            session.ledger.do(step, into=session.ledger.timeline.last)

    @classmethod
    def open(cls, path: Path, image: Hashable = None, *, rgb: bool = False) -> SavedSession:
        """Read a file.

        Parameters
        ----------
        path : Path
        image : hashable
            Stands for the image in planes.
        rgb : bool
            Whether the image has colours.

        Raises
        ------
        SavedSessionError
            If it is not a saved session, or is damaged.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                about: dict[str, Any] = json.loads(archive.read("prompts.json"))
                labels = tifffile.imread(io.BytesIO(archive.read("labels.tif")))
            if about["version"] != VERSION:
                raise SavedSessionError(
                    f"{path} was saved by a newer version of PiClick: update it first."
                )
            spacing = about["spacing"]
            records = {
                int(label): record_from_json(record, image, rgb=rgb)
                for label, record in about["objects"].items()
            }
            identity = ImageIdentity.from_json(about["image"])
            classes = {str(name): str(color) for name, color in about["classes"].items()}
        except SavedSessionError:
            raise
        except OSError as error:
            raise SavedSessionError(f"{path} cannot be read ({error.strerror}).") from error
        except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise SavedSessionError(
                f"{path} is not a saved PiClick session, or it is damaged."
            ) from error
        shape = identity.shape[:-1] if rgb else identity.shape
        labels = np.asarray(labels)
        if labels.dtype.kind not in "ui" or labels.size != np.prod(shape, dtype=np.int64):
            raise SavedSessionError(f"The labels in {path} do not fit their image.")
        return cls(
            identity,
            labels.reshape(shape),
            records,
            classes,
            None if spacing is None else tuple(float(length) for length in spacing),
        )
