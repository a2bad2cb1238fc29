"""The schedule: how long a run is, how fast it learns, and on which pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """How long, how fast, and on how many pictures.

    Parameters
    ----------
    steps : int
        The learning rate falls to zero over the last ``decay`` fraction of them.
    batch : int
        Prompts in a step.
    prompts_per_picture : int
        How many of them share a picture, which is then encoded once for all.
    learning_rate, weight_decay : float
        Of AdamW.
    encoder, neck : float
        How fast the encoder's stages and its neck learn, relative to the decoder; 0: they stay
        as they are.
    warmup : int
        Steps over which the learning rate rises.
    average : float
        Decay of the running average of the weights, which is what is kept.
    first_pictures, new_pictures, kept_pictures : int
        Step ``s`` draws from the last ``kept_pictures`` of
        ``first_pictures + s * new_pictures``.
    validate_every : int
        Steps between two looks at the validation pictures.

    Raises
    ------
    ValueError
        If there are no prompts, or they do not fill their pictures evenly.
    """

    steps: int = 4000
    batch: int = 8
    prompts_per_picture: int = 1
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    encoder: float = 0.0
    neck: float = 0.5
    warmup: int = 100
    decay: float = 0.9
    average: float = 0.998
    first_pictures: int = 128
    new_pictures: int = 1
    kept_pictures: int = 2000
    validate_every: int = 500

    def __post_init__(self) -> None:
        each = self.prompts_per_picture
        if self.batch < 1 or each < 1 or self.batch % each:
            raise ValueError(
                f"A step of {self.batch} prompts with {each} on each picture cannot be made; both "
                "must be above 0, and the first a multiple of the second."
            )

    def rate(self, step: int) -> float:
        """The learning rate at a step."""
        rising = min(1.0, (step + 1) / max(1, self.warmup))
        falling = min(1.0, (self.steps - step) / max(1.0, self.steps * self.decay))
        return self.learning_rate * min(rising, max(0.0, falling))

    def pictures(self, step: int) -> range:
        """The numbers of the pictures a step draws from."""
        newest = self.first_pictures + step * self.new_pictures
        return range(max(0, newest - self.kept_pictures), newest)
