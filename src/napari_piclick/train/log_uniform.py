"""Sizes and factors at random: halving one is as likely as doubling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator


def log_uniform(low: float, high: float, rng: Generator) -> float:
    """A number between ``low`` and ``high`` (above 0) whose logarithm is uniform there."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
