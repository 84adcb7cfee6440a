"""Reads every test vector with fkz.py and compares what it finds with vectors.json: python vectors.py FOLDER."""

import json
import math
import pathlib
import sys

import fkz


def plain(v):
    """A value as vectors.json writes it."""
    if isinstance(v, bytes):
        return {"$bytes": v.hex()}
    if isinstance(v, float) and not math.isfinite(v):
        return {"$float": repr(v)}
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    return v


def same(a, b):
    """Equal, and 1 is not 1.0."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def fault(v, path):
    """What the reader gets wrong of a vector, or None."""
    try:
        header, tensors = fkz.read(path)
    except fkz.Error as e:
        return None if e.outcome == v["outcome"] else f"found {e}, want {v['outcome']}"
    if v["outcome"] != "ok":
        return f"was read, want {v['outcome']}"
    index = header.pop("index")
    if not same(plain(header), v["meta"]):
        return f"metadata is {header}"
    if fkz.digest(header | {"index": index}) != v["digest"]:
        return "has another digest"
    known = {"crc32", "length", "name", "offset", "sha256", "shape", "type"}
    found = [{"name": e["name"], "type": e["type"], "shape": e["shape"], "data": tensors[e["name"]].tobytes().hex(),
              "extra": plain({k: x for k, x in e.items() if k not in known})} for e in index]
    return None if same(found, v["tensors"]) else f"tensors are {found}"


folder = pathlib.Path(sys.argv[1])
passed = failed = 0
for v in json.loads((folder / "vectors.json").read_text()):
    problem = fault(v, folder / v["file"])
    if problem:
        failed += 1
        print(f"{v['file']} ({v['about']}): {problem}")
    else:
        passed += 1
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
