"""What encoding a plane took is given back."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick.predict.spare_memory import give_back

if TYPE_CHECKING:
    from napari_piclick import Predictor

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc can be asked to give memory back"
)


def held() -> float:
    """Anonymous memory of this process in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def test_freed_memory_that_is_kept_for_the_next_time_goes_back() -> None:
    give_back()
    before = held()
    blocks = [bytearray(64 * 1024) for _ in range(1600)]  # 100 MB, in pieces that are not mapped
    last = bytearray(64 * 1024)
    del blocks
    kept = held() - before
    give_back()
    assert held() - before < 30
    assert kept > 60, "this test says nothing where the C library keeps nothing"
    assert last is not None


def test_a_plane_that_was_encoded_leaves_its_embedding_and_little_else(tiny: Predictor) -> None:
    random = np.random.default_rng(0)
    for key in range(2):
        tiny.set_image(random.integers(0, 255, (256, 256)).astype(np.uint8), key=("spare", key))
    after = held()
    give_back()
    assert after - held() < 15
