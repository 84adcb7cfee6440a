"""Makes the files beside it with the safetensors package 0.8.

Run in this folder: python make.py
"""

import json
import pathlib

import numpy as np
import safetensors

here = pathlib.Path(__file__).parent
kept = []
SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1,
         "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
         "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
         "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}


def tensor(kind, shape):
    """The bytes are 0, 1, 0, 1 ... for bool, else 0, 3, 6 ...: what they stand for does not matter here."""
    n = int(np.prod(shape, dtype=int)) * SIZES[kind]
    data = bytes(i % 2 if kind == "BOOL" else i * 3 % 120 for i in range(n))
    array = np.frombuffer(data, dtype="u1")
    kept.append(array)
    return safetensors.TensorSpec(dtype=NAMES[kind], shape=list(shape), data_ptr=array.ctypes.data, data_len=n)


everything = {f"net/{kind.lower()}": tensor(kind, (2, 3)) for kind in SIZES}
everything["net/scalar"] = tensor("F32", ())
everything["net/empty"] = tensor("F32", (3, 0))
everything['a "name" <with> ä\\'] = tensor("U8", (5,))
(here / "everything.safetensors").write_bytes(safetensors.serialize(everything, {"about": 'a "text" <&> ü\n'}))
(here / "plain.safetensors").write_bytes(safetensors.serialize({"x": tensor("F32", (2,))}))
(here / "none.safetensors").write_bytes(safetensors.serialize({}))
