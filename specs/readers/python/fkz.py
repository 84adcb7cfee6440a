"""Reads .fkz model files, version 1. It follows specs/fkz.md alone and needs nothing but msgpack and numpy.

    header, tensors = fkz.read("model.fkz")

gives the header's fields, and the tensors by name as arrays that lie on a mapping of the file and can't be written to;
bfloat16 as uint16, float8_e4m3fn and float8_e5m2 as uint8, since NumPy has no such types. All of the file is checked.
What is wrong with it is an Error, whose outcome is one of those that fkz.md lists.
"""

import hashlib
import math
import mmap
import sys
import zlib

import msgpack
import numpy as np

MAX_HEADER, MAX_DEPTH, MAX_VALUES, MAX_TENSORS, MAX_RANK, MAX_TENSOR = 128 << 20, 128, 1 << 24, 100_000, 32, 2**32 - 1
SIZES = {"float64": 8, "int64": 8, "uint64": 8, "float32": 4, "int32": 4, "uint32": 4, "float16": 2, "bfloat16": 2, "int16": 2,
         "uint16": 2, "float8_e4m3fn": 1, "float8_e5m2": 1, "int8": 1, "uint8": 1, "bool": 1}
RAW = {"bfloat16": "uint16", "float8_e4m3fn": "uint8", "float8_e5m2": "uint8"}
SECTIONS = ("blueprint", "history", "index", "provenance", "run", "state")
DATA, NUMBER, ARRAY, MAP = range(4)
CODES = {0xC4: (DATA, 1), 0xC5: (DATA, 2), 0xC6: (DATA, 4), 0xCB: (NUMBER, 8), 0xCC: (NUMBER, 1), 0xCD: (NUMBER, 2),
         0xCE: (NUMBER, 4), 0xCF: (NUMBER, 8), 0xD0: (NUMBER, 1), 0xD1: (NUMBER, 2), 0xD2: (NUMBER, 4), 0xD3: (NUMBER, 8),
         0xD9: (DATA, 1), 0xDA: (DATA, 2), 0xDB: (DATA, 4), 0xDC: (ARRAY, 2), 0xDD: (ARRAY, 4), 0xDE: (MAP, 2), 0xDF: (MAP, 4)}


class Error(Exception):
    def __init__(self, outcome, text):
        super().__init__(f"{outcome}: {text}")
        self.outcome = outcome


def need(condition, outcome, text):
    if not condition:
        raise Error(outcome, text)


def up(n):
    return -(-n // 64) * 64


def scan(b):
    """Walks a header without recursion, before msgpack allocates anything for it."""
    pos, values, left = 0, 0, [1]
    while left:
        if left[-1] == 0:
            left.pop()
            continue
        left[-1] -= 1
        values += 1
        need(values <= MAX_VALUES, "limit", "too many values")
        need(pos < len(b), "header", "ends where a value is due")
        code = b[pos]
        pos += 1
        if code <= 0x7F or code >= 0xE0 or code in (0xC0, 0xC2, 0xC3):
            continue
        if code <= 0xBF:
            kind, n = (MAP, code & 15) if code <= 0x8F else (ARRAY, code & 15) if code <= 0x9F else (DATA, code & 31)
        else:
            need(code in CODES, "header", f"code {code:02x}")
            kind, width = CODES[code]
            need(pos + width <= len(b), "header", "ends in a value")
            n = int.from_bytes(b[pos:pos + width], "big")
            pos += width
        if kind == DATA:
            pos += n
        elif kind != NUMBER:
            n *= 1 + (kind == MAP)
            need(len(left) <= MAX_DEPTH, "limit", "nested too deep")
            left.append(n)
        need(kind == NUMBER or (pos if kind == DATA else pos + n) <= len(b), "header", "longer than what is left")
    need(pos == len(b), "header", "goes on after its end")


def encode(v):
    """A value's one form."""
    packer, todo = msgpack.Packer(autoreset=False), [v]
    while todo:
        v = todo.pop()
        if isinstance(v, dict):
            need(all(type(k) is str for k in v), "header", "a key that is no text")
            packer.pack_map_header(len(v))
            for k in sorted(v, key=lambda k: k.encode(), reverse=True):
                todo += v[k], k
        elif isinstance(v, list):
            packer.pack_array_header(len(v))
            todo += v[::-1]
        elif v is None or type(v) in (bool, int, float, str, bytes):
            packer.pack(v if v == v else math.nan)
        else:
            raise Error("header", f"a {type(v)}")
    return packer.bytes()


def decode(b):
    scan(b)
    try:
        v = msgpack.unpackb(b)
    except Exception as e:  # msgpack raises many kinds
        raise Error("header", str(e)) from e
    need(encode(v) == b, "header", "not in its one form")
    return v


def entry_ok(e):
    """Checks an entry of the index by itself."""
    kinds = {"crc32": int, "length": int, "name": str, "offset": int, "sha256": bytes, "shape": list, "type": str}
    need(type(e) is dict, "header", "an entry of the index that is no map")
    for field, kind in kinds.items():
        need(type(e.get(field)) is kind, "index", f"{field} missing or of another kind")
    name, shape = e["name"], e["shape"]
    need(0 < len(name.encode()) <= 1024 and not any(c < " " or c == "\x7f" for c in name), "index", f"name {name!r}")
    need(0 <= e["crc32"] < 1 << 32 and e["length"] >= 0 and e["offset"] >= 0 and len(e["sha256"]) == 32, "index", f"{name}: {e}")
    need(len(shape) <= MAX_RANK, "limit", f"{name}: too many axes")
    need(all(type(d) is int and d >= 0 for d in shape) and e["type"] in SIZES, "index", f"{name}: {e['type']} {shape}")
    size = SIZES[e["type"]]
    need(math.prod(d for d in shape if d) * size <= MAX_TENSOR, "index", f"{name}: {shape} is too large")
    need(e["length"] == math.prod(shape) * size, "index", f"{name}: length is not that of its shape")


def read_header(data):
    """Gives header, base and the position after the header."""
    need(data[:1] == b"" or data[0] & 0xF0 == 0x90 and b"\xa3fkz".startswith(data[1:5]), "not-fkz", "begins like something else")
    need(len(data) > 5, "cut-short", "ends in the prologue")
    unpacker = msgpack.Unpacker()
    unpacker.feed(data[5:14])
    version = next(unpacker, None)
    need(type(version) is int or len(data) < 45, "header", "no integer as the version")
    need(version in (1, None), "version", f"is version {version}, this reads version 1")
    need(len(data) >= 45, "cut-short", "ends in the prologue")
    need(data[:7] == b"\x94\xa3fkz\x01\xce" and data[11:13] == b"\xc4\x20", "header", "prologue")
    end = 45 + int.from_bytes(data[7:11], "big")
    need(end <= 45 + MAX_HEADER, "limit", "header too long")
    need(end <= len(data), "cut-short", "ends in the header")
    need(hashlib.sha256(data[45:end]).digest() == data[13:45], "damaged", "header")
    header = decode(data[45:end])
    need(type(header) is dict and all(s in header for s in SECTIONS), "header", "fields are missing")
    need(type(header["index"]) is list, "header", "the index is no array")
    need(len(header["index"]) <= MAX_TENSORS, "limit", "too many tensors")
    names, base = set(), up(end)
    first = header["index"][0].get("offset") if header["index"] and type(header["index"][0]) is dict else 0
    due = 64 if first == 64 or base - end < 5 else 0
    for e in header["index"]:
        entry_ok(e)
        need(e["name"] not in names, "index", f"{e['name']} is there twice")
        need(e["offset"] == due, "index", f"{e['name']}: offset {e['offset']}, want {due}")
        names.add(e["name"])
        due = up(e["offset"] + e["length"] + 5)
    return header, base, end


def read(path):
    """Gives the header's fields, and arrays by name. Raises Error."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    header, base, pos = read_header(data)
    last = header["index"][-1] if header["index"] else None
    end = base + last["offset"] + last["length"] if last else pos
    need(size >= end, "cut-short", f"{size} bytes, want {end}")
    need(size <= end, "trailing", f"{size} bytes, want {end}")
    tensors = {}
    for e in header["index"]:
        start, stop = base + e["offset"], base + e["offset"] + e["length"]
        gap = b"\xc0" * (start - 5 - pos) + b"\xc6" + e["length"].to_bytes(4, "big")
        need(data[pos:start] == gap, "damaged", f"before {e['name']}")
        view = memoryview(data)[start:stop]
        need(zlib.crc32(view) == e["crc32"] and hashlib.sha256(view).digest() == e["sha256"], "damaged", e["name"])
        x = np.frombuffer(view, np.dtype(RAW.get(e["type"], e["type"])).newbyteorder("<"))
        need(e["type"] != "bool" or (x.view("u1") <= 1).all(), "damaged", f"{e['name']}: a bool that is neither 0 nor 1")
        tensors[e["name"]] = x.reshape(e["shape"])
        pos = stop
    return header, tensors


def digest(header):
    """The SHA-256 that names the model, in hexadecimal."""
    rows = [[e["name"], e["type"], e["shape"], e["sha256"]] for e in header["index"]]
    rows.sort(key=lambda r: r[0].encode())
    return hashlib.sha256(encode([header["blueprint"], header["history"], header["state"], rows])).hexdigest()


if __name__ == "__main__":
    for path in sys.argv[1:]:
        header, tensors = read(path)
        print(f"{path}: {len(tensors)} tensors, digest {digest(header)}")
        for name, x in tensors.items():
            print(f"  {name}: {x.dtype} {x.shape}")
