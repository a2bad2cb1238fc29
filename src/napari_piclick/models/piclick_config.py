"""The configuration of a published PiClick: its sizes, by name or from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

#: The authors' name for this network; their other classes are ablations of it.
AUTHORS_CLASS = "PiClickModel"
#: No network of this kind is deeper, wider or takes larger pictures.
LIMITS = {"depth": 200, "pixel_layers": 100, "decoder_layers": 100}
LARGEST = 16384


@dataclass(frozen=True)
class PiClickConfig:
    """All that is needed to build the network.

    Parameters
    ----------
    image : (H, W) pixels of the pictures it was trained on.
    patch, width, depth, heads, mlp_ratio, qkv_bias
        Of the vision transformer.
    neck_widths : four int
        Channels of the pyramid, finest first.
    decoder_width, decoder_heads : int
        Of the pixel decoder and the masked-attention decoder.
    pixel_layers, pixel_hidden, sampling_points : int
        Of the pixel decoder's encoder.
    decoder_layers, decoder_hidden : int
        Of the masked-attention decoder.
    num_queries : int
    click_radius : int
        Of the disks, in pixels of the input.
    """

    image: tuple[int, int] = (448, 448)
    patch: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    neck_widths: tuple[int, ...] = (256, 256, 256, 256)
    decoder_width: int = 256
    decoder_heads: int = 8
    pixel_layers: int = 6
    pixel_hidden: int = 1024
    sampling_points: int = 4
    decoder_layers: int = 9
    decoder_hidden: int = 2048
    num_queries: int = 7
    click_radius: int = 5

    def __post_init__(self) -> None:
        sizes = [n for v in asdict(self).values() for n in (v if isinstance(v, tuple) else (v,))]
        wrong = any(not 0 < n <= LARGEST for n in sizes if not isinstance(n, bool))
        deep = any(getattr(self, name) > most for name, most in LIMITS.items())
        uneven = self.width % self.heads or self.decoder_width % (4 * self.decoder_heads)
        if wrong or deep or uneven or len(self.neck_widths) != 4:
            raise ValueError(f"No PiClick can be built with {self}.")

    def as_dict(self) -> dict[str, Any]:
        """The configuration as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PiClickConfig:
        """The configuration that `as_dict` described, also after a trip through JSON."""
        known = {f.name for f in fields(cls)}
        given: dict[str, Any] = {key: value for key, value in values.items() if key in known}
        for key in ("image", "neck_widths"):
            given[key] = tuple(given[key])
        return cls(**given)

    @classmethod
    def from_authors(cls, config: Any) -> PiClickConfig:
        """Read the ``config`` of the authors' checkpoints.

        Raises
        ------
        ValueError
            If it describes another network, or none.
        """
        name = config.get("class") if isinstance(config, Mapping) else None
        if not isinstance(name, str) or name.rpartition(".")[2] != AUTHORS_CLASS:
            described = f"a {name}" if isinstance(name, str) else "no model"
            raise ValueError(f"its configuration describes {described}, not a {AUTHORS_CLASS}")
        try:
            return cls._from_parameters(
                {key: entry["value"] for key, entry in config["params"].items()}
            )
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"its configuration is incomplete ({error})") from error

    @classmethod
    def _from_parameters(cls, given: Mapping[str, Any]) -> PiClickConfig:
        head = given["head_params"]
        pixel = head.get("pixel_decoder", {}).get("encoder", {})
        pixel_layer = pixel.get("transformerlayers", {})
        attention = pixel_layer.get("attn_cfgs", {})
        decoder = head.get("transformer_decoder", {})
        layer = decoder.get("transformerlayers", {})
        width = int(head["feat_channels"])
        for name in ("use_disks", "with_prev_mask"):
            if not given.get(name, True):
                raise ValueError(f"it was trained with {name} off, which PiClick needs on")
        return replace(
            cls.sizes_from(given),
            decoder_width=width,
            decoder_heads=int(attention.get("num_heads", 8)),
            pixel_layers=int(pixel.get("num_layers", 6)),
            pixel_hidden=int(
                pixel_layer.get("ffn_cfgs", {}).get("feedforward_channels", 4 * width)
            ),
            sampling_points=int(attention.get("num_points", 4)),
            decoder_layers=int(decoder.get("num_layers", 9)),
            decoder_hidden=int(layer.get("ffn_cfgs", {}).get("feedforward_channels", 2048)),
            num_queries=int(given.get("num_queries", 7)),
        )

    @classmethod
    def sizes_from(cls, given: Mapping[str, Any]) -> PiClickConfig:
        """The sizes of all but the head, from the parameters in an authors' checkpoint."""
        backbone = given["backbone_params"]
        return cls(
            image=_pair(backbone["img_size"]),
            patch=_pair(backbone["patch_size"])[0],
            width=int(backbone["embed_dim"]),
            depth=int(backbone["depth"]),
            heads=int(backbone["num_heads"]),
            mlp_ratio=float(backbone.get("mlp_ratio", 4)),
            qkv_bias=bool(backbone.get("qkv_bias", True)),
            neck_widths=tuple(int(n) for n in given["neck_params"]["out_dims"]),
            click_radius=int(given.get("norm_radius", 5)),
        )


def _pair(value: Any) -> tuple[int, int]:
    """(H, W) of a size that may be given once for both."""
    both = value if isinstance(value, list | tuple) else (value, value)
    return int(both[0]), int(both[1])


#: The sizes the authors trained.
SIZES: dict[str, PiClickConfig] = {
    "base": PiClickConfig(),
    "large": PiClickConfig(
        width=1024,
        depth=24,
        heads=16,
        neck_widths=(192, 384, 768, 1536),
        decoder_width=512,
        pixel_hidden=2048,
    ),
    "huge": PiClickConfig(
        patch=14,
        width=1280,
        depth=32,
        heads=16,
        neck_widths=(240, 480, 960, 1920),
        decoder_width=512,
        pixel_hidden=2048,
    ),
}
