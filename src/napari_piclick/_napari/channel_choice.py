"""The channel choice: the channels of an image, as separate layers or along an axis of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_piclick._napari.view import level_zero
from napari_piclick.session.channels import Channels, ColorVolume, OneChannel
from napari_piclick.session.volume_window import sample_planes, window_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from napari_piclick._napari.viewfinder import Viewfinder

#: An axis with more positions than this is time or depth, not channels.
MOST = 8


@dataclass(frozen=True, eq=False)
class Channel:
    """Something that can be shown to the model as one colour.

    Parameters
    ----------
    name : str
        For the user.
    key : hashable
        Changes with what is shown of it.
    origin : hashable
        Stays as long as the channel is there, whatever its name and its window.
    volume : array-like, as large as the image
    window : (low, high)
        Values seen as black and white; None for what `window_of` finds.
    """

    name: str
    key: Hashable
    origin: Hashable
    volume: Any
    window: tuple[float, float] | None


def offered_channels(view: Viewfinder) -> list[Channel]:
    """The channels of the image that is looked at; none if there is but one.

    Layers of the same size lie on each other, and count as channels of one image; otherwise
    positions along a short axis that the plane does not show.
    """
    image, plane = view.image, view.plane
    if image is None or plane is None or plane.rgb:
        return []
    alike = [
        layer
        for layer in view.images
        if not layer.rgb and tuple(level_zero(layer).shape) == plane.volume_shape
    ]
    if len(alike) > 1:
        return [
            Channel(
                layer.name,
                (layer.unique_id, tuple(layer.contrast_limits)),
                layer.unique_id,
                level_zero(layer),
                (float(layer.contrast_limits[0]), float(layer.contrast_limits[1])),
            )
            for layer in alike
        ]
    axis = plane.hidden[0] if len(plane.hidden) > 1 else None
    if axis is None or not 1 < plane.volume_shape[axis] <= MOST:
        return []
    volume = level_zero(image)
    return [
        Channel(f"channel {k}", (axis, k), (axis, k), OneChannel(volume, axis, k), None)
        for k in range(plane.volume_shape[axis])
    ]


def channels_of(chosen: Sequence[Channel]) -> Channels | None:
    """What the model is shown; None for the image as it is."""
    if not chosen:
        return None
    windows = [channel.window or _window_of(channel.volume) for channel in chosen]
    volume = ColorVolume([channel.volume for channel in chosen], windows)
    return Channels(tuple(channel.key for channel in chosen), volume)


def _window_of(volume: Any) -> tuple[float, float]:
    """Robust percentiles of a few planes along the second axis: the first is that of channels."""
    return window_of(sample_planes(volume, 1)) or (0.0, 1.0)
