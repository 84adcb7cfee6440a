"""The other side of files_test.go: does with safetensors, npz and pickle what it is told, a line each way.

A line in is an operation, a path and how often; a line out is wall and processor seconds of one time and what came of
it, as JSON.
"""

import hashlib
import json
import os
import pickle
import sys
import time

import numpy as np
import safetensors
import safetensors.numpy

ONE, LARGEST = "all/conv3_3/weights", "all/hidden4/weights"


def tensors_of(path):
    return safetensors.numpy.load_file(path)


def synced(path, write):
    """Writes a file, syncs it and gives it its name, as fkzoo does."""
    with open(path + ".tmp", "wb") as f:
        write(f)
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".tmp", path)


def save_safetensors(path):
    safetensors.numpy.save_file(held, path + ".tmp")
    with open(path + ".tmp", "rb") as f:
        os.fsync(f.fileno())
    os.replace(path + ".tmp", path)


def open_safetensors(path):
    with safetensors.safe_open(path, "np") as f:
        return len(f.keys())


def one_safetensors(path, name=ONE):
    with safetensors.safe_open(path, "np") as f:
        return f.get_tensor(name).size


def open_npz(path):
    with np.load(path) as f:
        return len(f.files)


def one_npz(path, name=ONE):
    with np.load(path) as f:
        return f[name].size


def load_npz(path):
    with np.load(path) as f:
        return sum(f[k].size for k in f.files)


def load_pickle(path):
    with open(path, "rb") as f:
        return sum(x.size for x in pickle.load(f).values())


def hash_file(path):
    with open(path, "rb") as f:
        return len(hashlib.file_digest(f, "sha256").digest())


OPERATIONS = {
    "open safetensors": open_safetensors,
    "one safetensors": one_safetensors,
    "largest safetensors": lambda path: one_safetensors(path, LARGEST),
    "largest npz": lambda path: one_npz(path, LARGEST),
    "load safetensors": lambda path: sum(x.size for x in tensors_of(path).values()),
    "save safetensors": save_safetensors,
    "open npz": open_npz,
    "one npz": one_npz,
    "load npz": load_npz,
    "save npz": lambda path: synced(path, lambda f: np.savez(f, **held)),
    "load pickle": load_pickle,
    "save pickle": lambda path: synced(path, lambda f: pickle.dump(held, f, protocol=5)),
    "hash": hash_file,
}

held = {}
for line in sys.stdin:
    what, path, times = line.rstrip("\n").split("\t")
    if what == "hold":
        held = tensors_of(path)
        result = sum(x.size for x in held.values())
        print(json.dumps([0, 0, result]), flush=True)
        continue
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(int(times)):
        result = OPERATIONS[what](path)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps([wall / int(times), cpu / int(times), os.path.getsize(path) if result is None else result]), flush=True)
