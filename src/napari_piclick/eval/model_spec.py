"""The model to measure, as it is named on the command line, ready to be made in any process."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_piclick.models.registry import MODELS, sha256, split_mode

if TYPE_CHECKING:
    from napari_piclick.eval.protocol import Compat, Segmenter

_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Names a model; called, it makes the predictor.

    Parameters
    ----------
    model : str
        A model's name, a file of weights, or ``module:factory``: a function, found by importing
        the module, that makes anything with ``set_image`` and ``predict`` (see
        :class:`napari_piclick.eval.Segmenter`).
    device : str
        Passed on; to a factory only if it takes an argument ``device``.
    arguments : tuple of str
        Passed on to a factory.
    compat : str, optional
        ``published`` asks for the quirks of the published predictor.
    threads : int, optional
        Threads that torch may use in the process where the predictor is made. Sums come out
        differently, in their last bits, with other numbers of threads. None leaves it alone.
    parts : bool
        Whether a model that offers a part of a mask among its proposals may do so; False asks for
        the network's own masks alone, and refuses models that offer no parts.
    """

    model: str
    device: str = "auto"
    arguments: tuple[str, ...] = ()
    compat: Compat | None = None
    threads: int | None = 1
    parts: bool = True

    @property
    def title(self) -> str:
        """How results name the model."""
        return self.model if self.parts else f"{self.model} without parts"

    @property
    def is_factory(self) -> bool:
        """Whether the model is made by a function of the user's."""
        name, mode = split_mode(self.model)
        return not mode and bool(_FACTORY.fullmatch(name)) and not Path(name).exists()

    def __call__(self) -> Segmenter:
        """Make the predictor.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such model; the message is one sentence for the user.
        """
        predictor = self._from_factory() if self.is_factory else self._load()
        if not self.parts:
            if not hasattr(predictor, "parts"):
                raise ValueError(
                    f"{self.model} offers no parts of masks; please leave --no-parts out."
                )
            predictor.parts = False
        torch = sys.modules.get("torch")
        if torch is not None and self.threads is not None:
            torch.set_num_threads(self.threads)
        return predictor

    def identity(self) -> dict[str, Any]:
        """What tells this model from others, without making it: names, and hashes of files."""
        name, _ = split_mode(self.model)
        known = MODELS.get(name)
        named = [known.weights if known is not None else name, *self.arguments]
        files = [Path(name) for name in named]
        return {
            "model": self.model,
            "model_arguments": list(self.arguments),
            "weights": [sha256(file) if file.is_file() else None for file in files],
            "device": self.device,
            "threads": self.threads,
            "parts": self.parts,
        }

    def _load(self) -> Segmenter:
        if self.arguments:
            raise ValueError("--model-arg is only for a model given as module:factory.")
        # Only now: the predictor brings torch, which takes its time.
        from napari_piclick import predict

        if self.compat is None:
            return predict.load_predictor(self.model, device=self.device)
        return predict.load_predictor(self.model, device=self.device, compat=self.compat)

    def _from_factory(self) -> Segmenter:
        module, _, name = self.model.partition(":")
        try:
            factory = getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise ValueError(f"The module {module} cannot be imported: {error}.") from error
        except AttributeError as error:
            raise ValueError(f"The module {module} has no function {name}.") from error
        takes_device = "device" in inspect.signature(factory).parameters
        try:
            predictor: Segmenter = factory(
                *self.arguments, **({"device": self.device} if takes_device else {})
            )
        except TypeError as error:
            raise ValueError(f"{self.model} cannot be called so: {error}.") from error
        for method in ("set_image", "predict"):
            if not callable(getattr(predictor, method, None)):
                raise ValueError(f"What {self.model} makes has no method {method}.")
        return predictor
