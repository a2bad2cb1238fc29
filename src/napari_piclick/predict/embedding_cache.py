"""Embedding cache: image embeddings kept in memory, least recently used ones leave first."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_piclick.models.mask_decoder import ImageEmbedding

#: A plane at 1024 pixels takes 17 MB.
DEFAULT_BYTES = 512 * 2**20


class EmbeddingCache:
    """Embeddings by key, at most ``max_bytes`` of them; may be used from several threads.

    Parameters
    ----------
    max_bytes : int
        An embedding larger than this is not kept.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[Hashable, ImageEmbedding] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    @property
    def nbytes(self) -> int:
        """Memory that the embeddings take."""
        return self._bytes

    def get(self, key: Hashable) -> ImageEmbedding | None:
        """The embedding under a key, or None; it becomes the most recently used."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, embedding: ImageEmbedding) -> None:
        """Keep an embedding, and let go of the oldest ones that no longer fit."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._kept.pop(key).nbytes
            if embedding.nbytes > self.max_bytes:
                return
            self._kept[key] = embedding
            self._bytes += embedding.nbytes
            while self._bytes > self.max_bytes:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0
