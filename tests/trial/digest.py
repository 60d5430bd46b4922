"""Turn results into something that is equal only bit for bit; NaN equals NaN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np
import pandas as pd

from regraft.trial.tables import Tables


def digest(value: object, *, leave_out: tuple[str, ...] = ()) -> object:
    """Return nested tuples of bytes and texts; fields named in ``leave_out`` are skipped everywhere."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, Tables):
        return digest(value.named())
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.name not in leave_out]
        return tuple((name, digest(getattr(value, name), leave_out=leave_out)) for name in names)
    if isinstance(value, Mapping):
        return tuple((str(key), digest(value[key], leave_out=leave_out)) for key in sorted(value))
    if isinstance(value, pd.DataFrame):
        return tuple((str(name), value[name].astype(str).tolist(), digest(value[name].to_numpy())) for name in value)
    if isinstance(value, tuple | list | np.ndarray):
        return tuple(digest(part, leave_out=leave_out) for part in value)
    return str(value)
