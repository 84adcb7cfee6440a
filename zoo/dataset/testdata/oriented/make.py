"""Writes the pictures beside it, one stored picture with each EXIF orientation,
and expected.json: how Pillow shows them, for the Go tests to compare with.

    pip install numpy pillow && python make.py
"""
import json, pathlib
import numpy as np
from PIL import Image, ImageOps

here = pathlib.Path(__file__).parent
y, x = np.mgrid[0:16, 0:24]
stored = Image.fromarray((x * 6 + y * 3 + 90 * ((x < 8) & (y < 4))).astype(np.uint8))
out = {}
for kind, turn in [("jpg", t) for t in range(1, 9)] + [("png", 6), ("jpg", 49)]:
    exif = Image.Exif()
    exif[0x0112] = turn
    name = f"{turn}.{kind}"
    stored.save(here / name, exif=exif, **({"quality": 95} if kind == "jpg" else {}))
    shown = ImageOps.exif_transpose(Image.open(here / name))
    out[name] = {"width": shown.width, "height": shown.height, "grey": np.asarray(shown).ravel().tolist()}
(here / "expected.json").write_text(json.dumps(out) + "\n")
