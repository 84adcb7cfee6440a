"""Expected values of augmented images and points, for the tests of package augment: PyTorch's affine_grid and
grid_sample for the geometry, contrast and brightness written out, NumPy for the points.

    python reference.py        writes reference.json.gz beside itself

Made with PyTorch 2.15 and NumPy 2.
"""
import gzip
import json
import math
import os

import numpy as np
import torch

rng = np.random.default_rng(1)
cases = {}


def case(name, height=11, width=13, channels=1, axis=None, noise=False, **change):
    axis = width if axis is None else axis
    c = dict(Mirror=False, ShiftX=0.0, ShiftY=0.0, Rotate=0.0, Scale=1.0, Brightness=0.0, Contrast=1.0, Noise=0.0, Erase=dict(Top=0, Left=0, Height=0, Width=0))
    c.update(change)
    source = rng.integers(0, 256, (height, width, channels)).astype(np.float64)
    angle = math.radians(c["Rotate"])
    # From a changed pixel back to the image, with the origin at the centre, in pixels.
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) * c["Scale"]
    flip = np.diag([-1.0 if c["Mirror"] else 1.0, 1.0])
    forward = turn @ flip
    shift = np.array([c["ShiftX"], c["ShiftY"]])
    back = np.linalg.inv(forward)
    half = np.array([width / 2, height / 2])
    theta = np.zeros((1, 2, 3))  # in shares of half the width and height, as PyTorch has it
    theta[0, :, :2] = back * half[None, :] / half[:, None]
    theta[0, :, 2] = (-back @ shift) / half
    grid = torch.nn.functional.affine_grid(torch.tensor(theta), (1, channels, height, width), align_corners=False)
    x = torch.nn.functional.grid_sample(torch.tensor(source).permute(2, 0, 1)[None], grid, mode="bilinear", padding_mode="border", align_corners=False)
    x = x[0].permute(1, 2, 0)
    x = (x - x.mean()) * c["Contrast"] + x.mean() + 255 * c["Brightness"]
    e = c["Erase"]
    if e["Height"]:
        at = lambda v, n: int(math.floor(v * n + 0.5))
        x[at(e["Top"], height):at(e["Top"] + e["Height"], height), at(e["Left"], width):at(e["Left"] + e["Width"], width)] = x.mean()
    points = rng.uniform(-1, [width + 1, height + 1], (12, 2))
    offset = (axis - width) / 2
    moved = (points - offset - half) @ forward.T + half + shift
    within = lambda p: bool(0 <= p[0] <= width and 0 <= p[1] <= height)
    inside = [within(m) or not within(p - offset) for p, m in zip(points, moved)]
    cases[name] = dict(Frame=dict(Height=height, Width=width, Channels=channels, Axis=axis), Change=c, Source=source.reshape(-1).tolist(),
                       Want=x.reshape(-1).tolist(), Points=points.tolist(), Moved=(moved + offset).tolist(), Inside=inside)


case("nothing")
case("mirror", Mirror=True)
case("mirror, colours", Mirror=True, channels=3)
case("shift", ShiftX=1.25, ShiftY=-2.5)
case("whole shift", ShiftX=3.0, ShiftY=2.0)
case("rotate", Rotate=17.0)
case("a right angle", height=10, width=10, Rotate=90.0)
case("scale", Scale=1.3)
case("smaller", Scale=0.6)
case("all geometry", Mirror=True, ShiftX=-1.7, ShiftY=0.6, Rotate=-25.0, Scale=0.85)
case("axis", Mirror=True, ShiftX=-1.7, ShiftY=0.6, Rotate=40.0, Scale=1.1, axis=12)
case("colours", Mirror=True, ShiftX=2.2, Rotate=8.0, Scale=1.2, channels=3)
case("contrast", Contrast=1.4)
case("brightness", Brightness=-0.2)
case("erase", Erase=dict(Top=0.2, Left=0.4, Height=0.5, Width=0.35))
case("everything", Mirror=True, ShiftX=0.4, ShiftY=1.6, Rotate=12.0, Scale=0.9, Contrast=0.7, Brightness=0.1, channels=2,
     Erase=dict(Top=0.0, Left=0.6, Height=0.3, Width=0.4))

with open(os.path.join(os.path.dirname(__file__), "reference.json.gz"), "wb") as out:
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as f:
        f.write(json.dumps(cases).encode())
