"""The embedding cache keeps its bound in bytes and the most recently used."""

from __future__ import annotations

import torch

from napari_piclick.models.mask_decoder import ImageEmbedding
from napari_piclick.predict.embedding_cache import EmbeddingCache


def _embedding(kilobytes: int) -> ImageEmbedding:
    part = torch.zeros(256 * kilobytes)
    return ImageEmbedding(part, part[:0], part[:0])


def test_the_least_recently_used_leave_first() -> None:
    cache = EmbeddingCache(max_bytes=3 * 1024)
    for key in "abc":
        cache.put(key, _embedding(1))
    assert cache.get("a") is not None
    cache.put("d", _embedding(1))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.nbytes == 3 * 1024


def test_what_is_too_large_is_not_kept_and_what_is_replaced_is_not_counted_twice() -> None:
    cache = EmbeddingCache(max_bytes=3 * 1024)
    cache.put("large", _embedding(4))
    assert len(cache) == 0
    cache.put("a", _embedding(1))
    cache.put("a", _embedding(2))
    assert cache.nbytes == 2 * 1024
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)
