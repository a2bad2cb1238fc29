"""Mixed precision: bfloat16 where the device computes in it, single precision elsewhere."""

from __future__ import annotations

from functools import cache

import torch

#: What processors that multiply in bfloat16 say of themselves, on x86 and on ARM.
NATIVE = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


def mixed_precision(device: torch.device) -> torch.autocast:
    """Within this context, matrices are multiplied in bfloat16 if the device can.

    One that cannot emulates it, a processor at a hundredth of its speed.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_in_bfloat16(device.type))


@cache
def computes_in_bfloat16(kind: str) -> bool:
    """Whether devices of this kind (``"cpu"``, ``"cuda"``, ``"mps"``) here multiply in bfloat16."""
    if kind == "cuda":
        # older GPUs say yes otherwise: they emulate it
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # older versions of torch do not tell, so nothing is taken for granted there
    tell = getattr(torch.cpu, "get_capabilities", None)
    if kind != "cpu" or tell is None:
        return False
    found = tell()
    return any(bool(found.get(name)) for name in NATIVE)
