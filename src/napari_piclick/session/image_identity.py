"""The image's identity: what tells an image from others the next time it is opened."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

#: So many pixels along each axis of the middle plane make the fingerprint.
SAMPLES = 256


@dataclass(frozen=True)
class ImageIdentity:
    """Name, size and content of an image.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Colours included.
    dtype : str
    fingerprint : str
        SHA-256 of pixels of its middle plane; empty for images that are slow to read.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    fingerprint: str = ""

    @classmethod
    def of(cls, name: str, data: Any, *, rgb: bool = False) -> ImageIdentity:
        """The identity of an image; of a lazy one no pixel is read."""
        shape = tuple(int(n) for n in data.shape)
        fingerprint = ""
        if isinstance(data, np.ndarray):
            lead = data.ndim - (3 if rgb else 2)
            plane = data[tuple(n // 2 for n in shape[:lead])]
            steps = tuple(slice(None, None, max(n // SAMPLES, 1)) for n in plane.shape[:2])
            fingerprint = hashlib.sha256(np.ascontiguousarray(plane[steps]).tobytes()).hexdigest()
        return cls(name, shape, np.dtype(data.dtype).name, fingerprint)

    def same_as(self, other: ImageIdentity) -> bool:
        """Tell whether both are the same image, as far as is known.

        The name counts only where the content is not known.
        """
        if (self.shape, self.dtype) != (other.shape, other.dtype):
            return False
        if self.fingerprint and other.fingerprint:
            return self.fingerprint == other.fingerprint
        return self.name == other.name

    def as_json(self) -> dict[str, Any]:
        """For a file; see `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> ImageIdentity:
        """The identity that a file tells of."""
        return cls(
            str(content["name"]),
            tuple(int(n) for n in content["shape"]),
            str(content["dtype"]),
            str(content["fingerprint"]),
        )
