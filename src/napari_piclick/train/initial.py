"""The model that training begins with: one of ours, a mean of several, or starting weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_piclick.models.checkpoint import (
    from_starting_weights,
    load_tiny,
    read_weights,
    with_evidence,
)
from napari_piclick.models.registry import find_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.models.piclick_tiny import PiClickTiny, TinyConfig


def load_initial(names: str | Sequence[str], config: TinyConfig) -> PiClickTiny:
    """Load what training begins with.

    Parameters
    ----------
    names : str or sequence of str
        Name or file of one of our models, or of starting weights with four mask tokens; or
        several of our models, to begin with their mean, see `mean_model`.
    config : TinyConfig
        The network to make of starting weights; a trained model keeps its own, but for its
        TRM, which is grown if it is to read the evidence.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such model, or the file does not hold one.
    """
    names = [names] if isinstance(names, str) else list(names)
    paths = [find_weights(name) for name in names]
    if len(paths) == 1 and "architecture" not in read_weights(paths[0])[1]:
        return from_starting_weights(paths[0], config)
    model = mean_model([load_tiny(path) for path in paths])
    return with_evidence(model) if config.evidence else model


def mean_model(models: Sequence[PiClickTiny]) -> PiClickTiny:
    """A model with the mean of the weights of several that were trained from the same ones.

    Such a mean often does better, on pictures unlike those of the training above all, than what
    went into it ("model soups", Wortsman et al., ICML 2022; WiSE-FT, CVPR 2022).

    Parameters
    ----------
    models : sequence of PiClickTiny
        The last says what the network is like; what only some have is the mean of those.

    Raises
    ------
    ValueError
        If the same part has different shapes.
    """
    states = [model.state_dict() for model in models]
    mean = models[-1]
    with torch.no_grad():
        for name, weight in mean.state_dict().items():
            found = [state[name] for state in states if name in state]
            if any(other.shape != weight.shape for other in found):
                raise ValueError(
                    f"These weights have no mean: {name} differs in shape. "
                    "Please name models with the same number of proposals."
                )
            if weight.is_floating_point():
                weight.copy_(torch.stack(found).mean(0))
    return mean.eval()
