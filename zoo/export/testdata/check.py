"""Runs each NAME.onnx of a folder with ONNX Runtime on NAME.images.npy and compares with each NAME.BACKEND.points.npy.

Prints a JSON object: for each name the largest difference in pixels by backend, over all images at once and one by one, and
the metadata; where there are files of weights, what NumPy and safetensors read in them.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import safetensors
import safetensors.numpy

out = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    images = np.load(path.with_suffix(".images.npy"))
    answers = [session.run(["points"], {"images": images})[0]]
    answers.append(np.concatenate([session.run(None, {"images": images[i : i + 1]})[0] for i in range(len(images))]))
    differences = {}
    for file in path.parent.glob(path.stem + ".*.points.npy"):
        points = np.load(file)
        assert all(a.shape == points.shape and a.dtype == np.float32 for a in answers), (file, answers[0].shape, points.shape)
        differences[file.name.split(".")[-3]] = max(float(np.abs(a - points).max()) for a in answers)
    meta = session.get_modelmeta()
    result = {
        "differences": differences,
        "producer": meta.producer_name,
        "input": session.get_inputs()[0].shape,
        "metadata": meta.custom_metadata_map,
    }
    weights = path.with_suffix(".safetensors")
    if weights.exists():
        named = safetensors.numpy.load_file(weights)
        with np.load(path.with_suffix(".npz")) as f:
            result["about"] = json.loads(f["fkzoo.json"])
            arrays = {k: f[k] for k in f.files if k != "fkzoo.json"}
        assert named.keys() == arrays.keys(), (named.keys(), arrays.keys())
        assert all(np.array_equal(named[k], arrays[k]) for k in named)
        result["sums"] = {k: [list(v.shape), float(v.astype("f8").sum())] for k, v in named.items()}
        with safetensors.safe_open(weights, "np") as f:
            result["texts"] = f.metadata()
    out[path.stem] = result
print(json.dumps(out))
