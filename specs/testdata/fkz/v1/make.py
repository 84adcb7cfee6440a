"""Writes the test vectors of .fkz version 1 into this folder. Needs msgpack from PyPI.

It follows ../../../fkz.md and shares nothing with fkzoo's own code, so that each checks the other.
Vectors that were once released must not change: only add to the end of a list.
"""

import hashlib
import json
import math
import os
import struct
import zlib

import msgpack

FOLDER = os.path.dirname(os.path.abspath(__file__))
SIZES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1, "float8_e5m2": 1, "int64": 8,
         "int32": 4, "int16": 2, "int8": 1, "uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1, "bool": 1}
vectors = []


class Raw(bytes):
    """Msgpack bytes to be put in as they are."""


def pack(v):
    """Packs a value in its one form; msgpack-python already takes the shortest forms."""
    if isinstance(v, Raw):
        return bytes(v)
    if isinstance(v, dict):
        n = len(v)
        head = bytes([0x80 | n]) if n < 16 else struct.pack(">BH", 0xDE, n) if n < 1 << 16 else struct.pack(">BI", 0xDF, n)
        return head + b"".join(pack(k) + pack(v[k]) for k in sorted(v, key=lambda k: k.encode()))
    if isinstance(v, list):
        n = len(v)
        head = bytes([0x90 | n]) if n < 16 else struct.pack(">BH", 0xDC, n) if n < 1 << 16 else struct.pack(">BI", 0xDD, n)
        return head + b"".join(map(pack, v))
    return msgpack.packb(v)


def tensor(name, kind, shape, data=None, **extra):
    n = math.prod(shape) * SIZES[kind]
    if data is None:
        data = bytes((i * 37 + len(name) * 11) % (2 if kind == "bool" else 256) for i in range(n))
    assert len(data) == n
    return {"name": name, "type": kind, "shape": shape, "data": data, "extra": extra}


def prologue(head, version=1):
    return b"\x94\xa3fkz" + pack(version) + b"\xce" + struct.pack(">I", len(head)) + b"\xc4\x20" + hashlib.sha256(head).digest()


def up(n):
    return -(-n // 64) * 64


def index(tensors, first):
    entries, offset = [], first
    for t in tensors:
        n = len(t["data"])
        entries.append({"name": t["name"], "type": t["type"], "shape": t["shape"], "offset": offset, "length": n,
                        "crc32": zlib.crc32(t["data"]), "sha256": hashlib.sha256(t["data"]).digest(), **t["extra"]})
        offset = up(offset + n + 5)
    return entries


def meta(**fields):
    return {"blueprint": None, "history": None, "state": None, "provenance": None, "run": None} | fields


def body(tensors, entries, end):
    """Everything behind a header that ends at this position."""
    out, base = b"", up(end)
    for t, e in zip(tensors, entries):
        out += b"\xc0" * (base + e["offset"] - 5 - end - len(out)) + b"\xc6" + struct.pack(">I", len(t["data"])) + t["data"]
    return out


def build(fields, tensors, change=None, first=None):
    """A whole file. change may spoil the header's map before it is packed."""
    for shift in (0, 64):
        if first is not None and shift != first:
            continue
        entries = index(tensors, shift)
        fields = dict(fields, index=entries)
        if change:
            fields = change(fields)
        head = fields if isinstance(fields, bytes) else pack(fields)
        end = 45 + len(head)
        if not tensors or up(end) - end >= 5:
            break
    return prologue(head) + head + body(tensors, entries, end)


def digest(fields, tensors):
    rows = [[t["name"], t["type"], t["shape"], hashlib.sha256(t["data"]).digest()] for t in tensors]
    rows.sort(key=lambda r: r[0].encode())
    return hashlib.sha256(pack([fields["blueprint"], fields["history"], fields["state"], rows])).hexdigest()


def plain(v):
    """The value as JSON can say it."""
    if isinstance(v, bytes):
        return {"$bytes": v.hex()}
    if isinstance(v, float) and not math.isfinite(v):
        return {"$float": repr(v)}
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    return v


def write(file, data):
    with open(os.path.join(FOLDER, file), "wb") as f:
        f.write(data)


def good(file, about, fields, tensors):
    write(file, build(fields, tensors))
    ordered = sorted(tensors, key=lambda t: t["name"].encode())
    vectors.append({"file": file, "about": about, "outcome": "ok", "meta": plain(fields), "digest": digest(fields, tensors),
                    "canonical": ordered == tensors,
                    "tensors": [dict(t, data=t["data"].hex(), extra=plain(t["extra"])) for t in tensors]})


def bad(file, about, outcome, data, when="open"):
    write("attacks/" + file, data)
    vectors.append({"file": "attacks/" + file, "about": about, "outcome": outcome, "when": when})


# Good files.
good("minimal.fkz", "nothing at all", meta(), [])
types = sorted([tensor("all/" + k, k, [2, 3]) for k in SIZES] + [tensor("scalar", "float32", []), tensor("empty", "int64", [3, 0])],
               key=lambda t: t["name"])
good("types.fkz", "every element type, a scalar and an empty tensor",
     meta(blueprint={"blueprint": 1, "name": "tiny", "members": [{"layers": [], "weight": 0.5}]},
          history=[{"epoch": 1, "loss": 0.25}, {"epoch": 2, "loss": 0.125}], provenance={"fkzoo": "0.1.0", "seed": 1},
          run={"seconds": [1.5, 1.25], "command": "fkzoo train tiny"}), types)
edges = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
good("values.fkz", "every kind and width of value in the header",
     meta(history=edges + [-n for n in (1, 32, 33, 128, 129, 32768, 32769, 2**31, 2**31 + 1, 2**63)],
          state=[None, False, True, 0.0, -0.0, 1.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 0.1],
          run=["", "x" * 31, "x" * 32, "x" * 255, "x" * 256, "x" * 65535, "x" * 65536, "Gr\u00fc\u00dfe \U0001f600"],
          provenance=[b"", b"\x00" * 255, b"\x01" * 256],
          blueprint=[[], [0] * 15, [0] * 16, {}, {f"k{i:02}": i for i in range(15)}, {f"k{i:02}": i for i in range(16)},
                     {"": 0, "B": 1, "a": 2, "\u00e4": 3}]), [])
good("unknown.fkz", "fields of a later time, in the header and in the index", meta(later={"a": [1, 2.5, "b"]}, aa=b"\x01", zz=None),
     [tensor("a", "uint8", [3], b"abc", unit="pixels", zz=[1]), tensor("b", "uint8", [1], b"d")])
good("unsorted.fkz", "tensors that are not in the order of their names", meta(), [tensor("b", "int8", [70]), tensor("a", "int8", [1])])
good("deep.fkz", "as deep as allowed", meta(blueprint=Raw(b"\x91" * 126 + b"\x90")), [])
vectors[-1]["meta"] = plain(meta(blueprint=json.loads("[" * 127 + "]" * 127)))


def until(condition):
    """The first run text and tensors whose header meets a condition on its end and its first offset."""
    tensors = [tensor("a", "uint8", [59]), tensor("b", "uint8", [1]), tensor("c", "uint8", [1])]
    for n in range(200):
        fields = meta(run="x" * n)
        data = build(fields, tensors)
        end = 45 + struct.unpack(">I", data[7:11])[0]
        first = msgpack.unpackb(data[45:end])["index"][0]["offset"]
        if condition(end % 64, first):
            return fields, tensors
    raise SystemExit("found none")


good("offset0-tight.fkz", "header ends 5 bytes before the base: the first offset is 0, without padding", *until(lambda e, f: e == 59 and f == 0))
good("offset64-at-base.fkz", "header ends at the base: the first offset is 64", *until(lambda e, f: e == 0 and f == 64))
good("offset64-at-61.fkz", "header ends 3 bytes before the base: the first offset is 64", *until(lambda e, f: e == 61 and f == 64))
good("offset64-longer.fkz", "offset 64 made the header so much longer that 0 would fit", *until(lambda e, f: 1 <= e <= 59 and f == 64))

# Bad ones.
TWO = [tensor("a", "float32", [3]), tensor("b", "uint8", [100])]
BOOL = [tensor("a", "bool", [3], b"\x01\x02\x00")]
M = meta(blueprint={"name": "x"}, run="y")
OK = build(M, TWO)
END = 45 + struct.unpack(">I", OK[7:11])[0]
DATA = up(END) + (0 if up(END) - END >= 5 else 64)


def flip(at, bit=0):
    b = bytearray(OK)
    b[at] ^= 1 << bit
    return bytes(b)


def head(raw):
    """A file with this header, and nothing after it."""
    return prologue(raw) + raw


def entry(**fields):
    """A file whose first index entry has these fields instead."""
    def change(h):
        first = {k: v for k, v in dict(h["index"][0], **fields).items() if v is not ...}
        return dict(h, index=[first] + h["index"][1:])
    return build(M, TWO, change)


def section(raw):
    """A file whose blueprint is these bytes."""
    return build(meta(blueprint=Raw(raw)), [])


bad("empty.fkz", "no byte at all", "cut-short", b"")
bad("text.fkz", "a text", "not-fkz", b"keypoints\n")
bad("safetensors.fkz", "a safetensors file's beginning", "not-fkz", struct.pack("<Q", 2) + b"{}" + b" " * 40)
bad("pickle.fkz", "a pickle", "not-fkz", b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s." + b"\0" * 30)
bad("version-0.fkz", "version 0", "version", prologue(pack(M), 0) + pack(M))
bad("version-2.fkz", "version 2", "version", prologue(pack(M), 2) + pack(M))
bad("version-2-short.fkz", "version 2 with a prologue of three, nothing else", "version", b"\x93\xa3fkz\x02\xc0")
bad("version-huge.fkz", "version 2^64 - 1", "version", prologue(pack(M), 2**64 - 1) + pack(M))
bad("version-text.fkz", "a text as the version", "header", prologue(pack(M), "1") + pack(M))
bad("cut-in-magic.fkz", "3 bytes", "cut-short", OK[:3])
bad("cut-in-prologue.fkz", "44 bytes", "cut-short", OK[:44])
bad("cut-after-prologue.fkz", "45 bytes", "cut-short", OK[:45])
bad("cut-in-header.fkz", "ends in the header", "cut-short", OK[:END - 1])
bad("cut-after-header.fkz", "ends with the header", "cut-short", OK[:END])
bad("cut-in-tensor.fkz", "ends in the last tensor", "cut-short", OK[:-1])
bad("cut-between.fkz", "ends after the first tensor", "cut-short", OK[:DATA + 12])
bad("trailing-nil.fkz", "a nil at the end", "trailing", OK + b"\xc0")
bad("trailing-file.fkz", "another file at the end", "trailing", OK + OK)
bad("trailing-header.fkz", "a byte after a header without tensors", "trailing", build(M, []) + b"\xc0")
bad("flip-header-length.fkz", "a bit of the header's length", "damaged", flip(10))
bad("flip-header-sha.fkz", "a bit of the header's SHA-256", "damaged", flip(20))
bad("flip-header.fkz", "a bit of the header", "damaged", flip(60))
bad("flip-prologue-array.fkz", "an array of five", "header", flip(0))
bad("flip-padding.fkz", "a bit of the padding", "damaged", flip(DATA + 12), "verify")
bad("flip-bin-code.fkz", "a bit of a bin 32's code", "damaged", flip(DATA - 5), "verify")
bad("flip-bin-length.fkz", "a bit of a bin 32's length", "damaged", flip(DATA - 1), "verify")
bad("flip-data.fkz", "a bit of a tensor's data", "damaged", flip(DATA, 7), "verify")
bad("flip-last.fkz", "a bit of the last byte", "damaged", flip(len(OK) - 1), "verify")
bad("wrong-crc.fkz", "a CRC-32 that is not the data's, in a header with the right SHA-256", "damaged", entry(crc32=70000), "verify")
bad("wrong-sha.fkz", "a SHA-256 that is not the data's, with the right CRC-32", "damaged", entry(sha256=b"\1" * 32), "verify")
bad("bool-2.fkz", "a bool that is the byte 2", "damaged", build(M, BOOL), "verify")
bad("prologue-uint16.fkz", "the header's length as uint16", "header",
    b"\x94\xa3fkz\x01\xcd" + struct.pack(">H", len(pack(M))) + b"\xc4\x20" + hashlib.sha256(pack(M)).digest() + pack(M) + b"\xc0" * 9)
bad("header-huge.fkz", "a header of 4 GiB in a file of 45 bytes", "limit", OK[:7] + b"\xff\xff\xff\xff" + OK[11:45])
bad("header-empty.fkz", "a header of no bytes", "header", head(b""))
bad("header-array.fkz", "an array as the header", "header", head(pack([1])))
bad("header-nil.fkz", "nil as the header", "header", head(pack(None)))
bad("header-two.fkz", "two objects as the header", "header", head(pack(dict(M, index=[])) + b"\xc0"))
bad("header-ends.fkz", "a header that ends in a value", "header", head(pack(dict(M, index=[]))[:-2]))
bad("no-state.fkz", "no field state", "header", head(pack({k: v for k, v in dict(M, index=[]).items() if k != "state"})))
bad("no-index.fkz", "no field index", "header", head(pack(M)))
bad("index-map.fkz", "a map as the index", "header", head(pack(dict(M, index={}))))
bad("index-entry-array.fkz", "an array as an entry of the index", "header", head(pack(dict(M, index=[[]]))))
bad("long-int.fkz", "1 as uint8", "header", section(b"\xcc\x01"))
bad("long-int64.fkz", "2^31 as uint64", "header", section(b"\xcf\0\0\0\0\x80\0\0\0"))
bad("signed-positive.fkz", "200 as int16", "header", section(b"\xd1\x00\xc8"))
bad("long-negative.fkz", "-1 as int8", "header", section(b"\xd0\xff"))
bad("long-string.fkz", "one letter as str8", "header", section(b"\xd9\x01a"))
bad("long-bin.fkz", "one byte as bin16", "header", section(b"\xc5\0\x01a"))
bad("long-array.fkz", "an empty array as array16", "header", section(b"\xdc\0\0"))
bad("long-map.fkz", "an empty map as map32", "header", section(b"\xdf\0\0\0\0"))
bad("float32.fkz", "a float32", "header", section(b"\xca\x3f\x80\0\0"))
bad("timestamp.fkz", "a timestamp extension", "header", section(b"\xd6\xff\0\0\0\0"))
bad("ext8.fkz", "an extension of 1 byte", "header", section(b"\xc7\x01\x05\0"))
bad("code-c1.fkz", "the code c1, which msgpack never uses", "header", section(b"\xc1"))
bad("key-int.fkz", "an integer as a key", "header", section(b"\x81\x01\x01"))
bad("key-bin.fkz", "a bin as a key", "header", section(b"\x81\xc4\x01a\x01"))
bad("key-map.fkz", "a map as a key", "header", section(b"\x81\x80\x01"))
bad("keys-unsorted.fkz", "keys b, a", "header", section(b"\x82\xa1b\x01\xa1a\x01"))
bad("keys-twice.fkz", "the key a twice", "header", section(b"\x82\xa1a\x01\xa1a\x02"))
bad("keys-empty-twice.fkz", "the empty key twice", "header", section(b"\x82\xa0\x01\xa0\x02"))
bad("sections-twice.fkz", "the field run twice", "header", head(b"\x87" + pack(dict(M, index=[]))[1:].replace(b"\xa3run\xa1y", b"\xa3run\xa1y" * 2)))
bad("utf8.fkz", "the byte ff in a text", "header", section(b"\xa1\xff"))
bad("utf8-overlong.fkz", "an overlong /", "header", section(b"\xa2\xc0\xaf"))
bad("utf8-surrogate.fkz", "half a surrogate pair", "header", section(b"\xa3\xed\xa0\x80"))
bad("utf8-key.fkz", "the byte ff in a key", "header", section(b"\x81\xa1\xff\x01"))
bad("count-array.fkz", "an array of 2^32 - 1 values", "header", section(b"\xdd\xff\xff\xff\xff"))
bad("count-map.fkz", "a map of 2^32 - 1 pairs", "header", section(b"\xdf\xff\xff\xff\xff"))
bad("count-string.fkz", "a text of 2^32 - 1 bytes", "header", section(b"\xdb\xff\xff\xff\xff"))
bad("count-bin.fkz", "a bin of 2^32 - 1 bytes", "header", section(b"\xc6\xff\xff\xff\xff"))
bad("count-index.fkz", "an index of 2^32 - 1 tensors", "header", head(pack(dict(M, index=Raw(b"\xdd\xff\xff\xff\xff")))))
bad("deep-arrays.fkz", "arrays nested one too deep", "limit", section(b"\x91" * 127 + b"\x90"))
bad("deep-maps.fkz", "maps nested one too deep", "limit", section(b"\x81\xa1a" * 127 + b"\x80"))
bad("deep-unknown.fkz", "arrays nested 5,000 deep in an unknown field", "limit", build(meta(zz=Raw(b"\x91" * 5000 + b"\x90")), []))
bad("deep-index.fkz", "arrays nested in the index", "limit", head(pack(dict(M, index=Raw(b"\x91" * 1000 + b"\x90")))))
bad("axes.fkz", "33 axes", "limit", entry(shape=[1] * 32 + [3]))
bad("name-twice.fkz", "two tensors of one name", "index", build(M, [TWO[0], TWO[0]]))
bad("name-empty.fkz", "no name", "index", entry(name=""))
bad("name-long.fkz", "a name of 1,025 bytes", "index", entry(name="n" * 1025))
bad("name-escape.fkz", "an escape character in a name", "index", entry(name="a\x1b[2J"))
bad("name-newline.fkz", "a line feed in a name", "index", entry(name="a\nb"))
bad("name-bin.fkz", "a name in bytes", "index", entry(name=b"a"))
bad("type-unknown.fkz", "the type complex64", "index", entry(type="complex64"))
bad("type-case.fkz", "the type Float32", "index", entry(type="Float32"))
bad("type-int.fkz", "an integer as the type", "index", entry(type=1))
bad("shape-other.fkz", "a shape that gives another length", "index", entry(shape=[4]))
bad("shape-huge.fkz", "2^60 elements", "index", entry(shape=[2**60]))
bad("shape-overflow.fkz", "a shape whose product is 3 modulo 2^64", "index", entry(shape=[2**32 - 1, 2**32 + 1, 3]))
bad("shape-overflow-0.fkz", "a shape whose product is 0 modulo 2^64", "index", entry(shape=[2**31, 2**31, 4], length=0))
bad("shape-zero-huge.fkz", "no elements, but dimensions over the limit", "index", entry(shape=[0, 2**31, 2**31], length=0))
bad("shape-negative.fkz", "a negative dimension", "index", entry(shape=[-3]))
bad("shape-float.fkz", "a float as a dimension", "index", entry(shape=[3.0]))
bad("shape-nil.fkz", "nil as the shape", "index", entry(shape=None))
bad("shape-nested.fkz", "a shape in a shape", "index", entry(shape=[[3]]))
bad("length-other.fkz", "a length that is not the shape's", "index", entry(length=16))
bad("length-huge.fkz", "a length of 2^63", "index", entry(length=2**63))
bad("length-negative.fkz", "a length of -12", "index", entry(length=-12))
bad("offset-overlap.fkz", "the second tensor on the first", "index",
    build(M, TWO, lambda h: dict(h, index=[h["index"][0], dict(h["index"][1], offset=h["index"][0]["offset"])])))
bad("offset-hole.fkz", "64 bytes too many between two tensors", "index",
    build(M, TWO, lambda h: dict(h, index=[h["index"][0], dict(h["index"][1], offset=h["index"][1]["offset"] + 64)])))
bad("offset-first.fkz", "64 bytes too many before the first", "index", build(M, TWO, lambda h: dict(h, index=index(TWO, 128))))
bad("offset-misaligned.fkz", "an offset that is no multiple of 64", "index", entry(offset=1))
bad("offset-huge.fkz", "an offset of 2^64 - 64", "index", entry(offset=2**64 - 64))
bad("offset-negative.fkz", "an offset of -64", "index", entry(offset=-64))
bad("offset-backwards.fkz", "tensors in another order than the index's", "index", build(M, TWO, lambda h: dict(h, index=h["index"][::-1])))
bad("crc-33-bits.fkz", "a CRC-32 of 2^32", "index", entry(crc32=2**32))
bad("crc-bin.fkz", "a CRC-32 in bytes", "index", entry(crc32=b"abcd"))
bad("sha-31.fkz", "a SHA-256 of 31 bytes", "index", entry(sha256=b"a" * 31))
bad("sha-text.fkz", "a SHA-256 as a text", "index", entry(sha256="a" * 32))
for field in ("crc32", "length", "name", "offset", "sha256", "shape", "type"):
    bad(f"no-{field}.fkz", f"an index entry without {field}", "index", entry(**{field: ...}))

# A first offset of 0 in a file whose header leaves no room for the head.
for n in range(64):
    fields = meta(run="x" * n)
    data = build(fields, TWO, lambda h: dict(h, index=index(TWO, 0)), first=0)
    if (45 + struct.unpack(">I", data[7:11])[0]) % 64 == 61:
        bad("offset-no-room.fkz", "first offset 0 where the bin head does not fit", "index", data)

bad("nan-other.fkz", "a NaN with another sign", "header", section(b"\xcb\xff\xf8" + b"\0" * 6))


# Signatures. Ed25519 as in RFC 8032, in its plainest form.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202,
        46316835694926478169428394003475163141307993866256225615783033603165251855960)


def add(a, b):
    k = -121665 * pow(121666, -1, P) * a[0] * b[0] * a[1] * b[1]
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + k, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, P) % P)


def times(n, p):
    out = (0, 1)
    while n:
        if n & 1:
            out = add(out, p)
        p, n = add(p, p), n >> 1
    return out


def point(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def sign(seed, message):
    """Gives the public key and the signature."""
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    key = point(times(a, BASE))
    r = number(h[32:], message) % L
    R = point(times(r, BASE))
    return key, R + ((r + number(R, key, message) * a) % L).to_bytes(32, "little")


# Section 7.1, TEST 2.
assert sign(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"), b"r")[1].hex().startswith("92a009a9f0d4cab8720e820b5f642540")


def signed(file, about, seeds, spoil=None):
    """A file with a signature by each seed, and the list says which are good."""
    fields = meta(blueprint={"name": "x"}, history=[0.5], provenance={"seed": 1})
    tensors = [tensor("a", "float32", [3]), tensor("b", "uint8", [100])]
    message = pack(["fkz signature 1", bytes.fromhex(digest(fields, tensors)), fields["provenance"]])
    entries = []
    for n in seeds:
        key, value = sign(bytes([n]) * 32, message)
        entries.append({"algorithm": "ed25519", "key": key, "signature": value})
    entries.sort(key=lambda e: e["key"])
    if spoil:
        entries = spoil(entries)
    good(file, about, dict(fields, signatures=entries), tensors)
    vectors[-1]["signatures"] = [{"key": e["key"].hex(), "good": not spoil} for e in entries if e["algorithm"] == "ed25519"]
    vectors[-1]["canonical"] = not spoil  # a writer drops what is not good


signed("signed.fkz", "signed by one key", [1])
signed("signed-twice.fkz", "signed by two keys", [1, 2])
signed("signed-badly.fkz", "a signature with a bit flipped; the file is intact all the same", [1],
       lambda e: [dict(e[0], signature=bytes([e[0]["signature"][0] ^ 1]) + e[0]["signature"][1:])])
signed("signed-later.fkz", "signed by an algorithm of a later time", [1], lambda e: [dict(e[0], algorithm="later")])

with open(os.path.join(FOLDER, "vectors.json"), "w", newline="\n") as f:
    f.write("[\n" + ",\n".join(json.dumps(v) for v in vectors) + "\n]\n")
with open(os.path.join(FOLDER, "SHA256SUMS"), "w", newline="\n") as f:
    for v in vectors:
        with open(os.path.join(FOLDER, v["file"]), "rb") as file:
            f.write(f"{hashlib.sha256(file.read()).hexdigest()}  {v['file']}\n")
print(len(vectors), "vectors")
