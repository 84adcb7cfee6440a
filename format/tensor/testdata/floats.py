"""Writes floats.txt: of each small float type the SHA-256 of all its values as little-endian float64, NaN as 7ff8000000000000.

Needs numpy and ml_dtypes from PyPI.
"""

import hashlib
import pathlib

import ml_dtypes
import numpy as np

TYPES = [("float16", np.float16, np.uint16), ("bfloat16", ml_dtypes.bfloat16, np.uint16),
         ("float8_e4m3fn", ml_dtypes.float8_e4m3fn, np.uint8), ("float8_e5m2", ml_dtypes.float8_e5m2, np.uint8)]
lines = []
for name, kind, raw in TYPES:
    values = np.arange(np.iinfo(raw).max + 1, dtype=raw).view(kind).astype("<f8")
    bits = values.view("<u8")
    bits[np.isnan(values)] = 0x7FF8000000000000
    lines.append(f"{name} {len(values)} {hashlib.sha256(bits.tobytes()).hexdigest()}\n")
pathlib.Path(__file__).with_name("floats.txt").write_text("".join(lines))
