"""Writes the files beside it and expected.json: what NumPy, Pillow and hashlib
say about them, for the Go tests to compare with.

    pip install numpy pillow && python make.py
"""
import hashlib, json, math, pathlib, struct, zlib
import numpy as np
from PIL import Image

here = pathlib.Path(__file__).parent
out = {}


def sha(columns, h, w, c, pixels, points, floats=False):
    d = hashlib.sha256(b"fkzoo dataset 1\n" + struct.pack("<5I", h, w, c, 4 if floats else 1, len(columns)))
    for name in columns:
        d.update(struct.pack("<I", len(name.encode())) + name.encode())
    for row, p in zip(pixels, points):
        d.update(np.asarray(row, "<f4" if floats else "u1").tobytes())
        d.update(b"".join(struct.pack("<I", 0x7FC00000) if v is None else struct.pack("<f", v) for v in p))
    return d.hexdigest()


# A small training file, 4x4 pixels.
rng = np.random.default_rng(1)
columns = ["left_eye_center_x", "left_eye_center_y", "nose_tip_x", "nose_tip_y"]
pixels = rng.integers(0, 256, (7, 16)).tolist()
pixels[0][:3] = [0, 255, 9]
texts = [["66.0335639098", "39.0022736842", "44.4205714286", "57.0668030075"],
         ["1", "-2.5", "", ""], ["0.1", "1e1", "3.", ".5"], ["", "", "", ""],
         ["16777217", "1.17549435e-38", "3.4028234e38", "1e-50"],
         ["95.99999999", "0.30000001192092896", "7", "8"], ["5", "6", "7", ""]]
with open(here / "small.csv", "w", newline="") as f:
    f.write(",".join(columns) + ",Image\n")
    for t, p in zip(texts, pixels):
        f.write(",".join(t) + "," + " ".join(map(str, p)) + "\n")
points = [[float(np.float32(t)) if t else None for t in row] for row in texts]
out["small"] = {"columns": columns, "pixels": pixels, "points": points,
                "checksum": sha(columns, 4, 4, 1, pixels, points)}


# Split: PCG-DXSM (O'Neill's cheap-multiplier variant, as in NumPy's PCG64DXSM and
# Go's math/rand/v2) with the state given as two words, Fisher-Yates from the end.
class PCG:
    def __init__(self, hi, lo):
        self.s = hi << 64 | lo

    def next(self):
        m128, m64 = (1 << 128) - 1, (1 << 64) - 1
        self.s = (self.s * (2549297995355413924 << 64 | 4865540595714422341)
                  + (6364136223846793005 << 64 | 1442695040888963407)) & m128
        hi, lo = self.s >> 64, self.s & m64
        hi ^= hi >> 32
        hi = hi * 0xDA942042E4DD58B5 & m64
        hi ^= hi >> 48
        return hi * (lo | 1) & m64


def split(n, share, seed):
    r, rows = PCG(seed, 0x666B7A6F6F), list(range(n))
    for i in range(n - 1, 0, -1):
        j = r.next() * (i + 1) >> 64
        rows[i], rows[j] = rows[j], rows[i]
    cut = math.floor(share * n)
    return {"n": n, "share": share, "seed": seed, "validation": rows[:cut], "train": rows[cut:]}


out["split"] = [split(10, 0.2, 1), split(13, 0.2, 42), split(1, 0.2, 0), split(6, 0, 7), split(5, 1, (1 << 64) - 1)]

# .npy files as NumPy writes them.
npy = {}
images = rng.random((3, 8, 6))
images[0, 0, :2] = [0, 1]


def save(name, a, version=None):
    with open(here / "npy" / name, "wb") as f:
        np.lib.format.write_array(f, a, version=version)


def good(name, a, version=None):
    save(name, a, version)
    flat = a.reshape(len(a), -1).astype(np.float64)
    values = (flat * 255).astype(np.float32)
    npy[name] = {"n": len(a), "values": values.astype(float).ravel().tolist(),
                 "checksum": sha([], 8, 6, 1, values, [[]] * len(a), True)}


good("f4.npy", images.astype("<f4"))
good("f8.npy", images)
good("f4-channel.npy", images.astype("<f4")[:, None])
good("f4-v2.npy", images.astype("<f4"), (2, 0))
good("f4-v3.npy", images.astype("<f4"), (3, 0))
for name, a, want in [
    ("bad-fortran.npy", np.asfortranarray(images), "Fortran order"),
    ("bad-big-endian.npy", images.astype(">f4"), "'<f4' (float32)"),
    ("bad-bytes.npy", (images * 255).astype("u1"), "'<f4' (float32)"),
    ("bad-range.npy", images * 255, "want 0 to 1"),
    ("bad-nan.npy", np.where(images == 1, np.nan, images), "found NaN in image 1, row 1, column 2"),
    ("bad-shape.npy", images[:, :, :5], "found shape [3 8 5], want [n,8,6]"),
    ("bad-flat.npy", images.reshape(3, -1), "found shape [3 48]"),
    ("bad-channels.npy", np.repeat(images[:, None], 3, 1), "found shape [3 3 8 6]"),
    ("bad-none.npy", images[:0], "at least one image"),
    ("bad-struct.npy", np.zeros(3, [("a", "<f4")]), "an array of records"),
]:
    save(name, a)
    npy[name] = {"error": want}
raw = (here / "npy" / "f4.npy").read_bytes()
for name, data, want in [
    ("bad-short.npy", raw[:-1], "found a file of"),
    ("bad-long.npy", raw + b"\0", "found a file of"),
    ("bad-header.npy", raw[:40], "end of the file"),
    ("bad-version.npy", raw[:6] + b"\x04" + raw[7:], "version 4.0"),
    ("bad-huge.npy", raw.replace(b"(3, 8, 6), }         ", b"(999999999999, 8, 6)}"), "over a limit"),
]:
    (here / "npy" / name).write_bytes(data)
    npy[name] = {"error": want}
out["npy"] = npy

# Pictures, and what Pillow makes of them: grey by luma, resized with its bicubic
# filter (a = -0.5, which is Catmull-Rom, wider when it shrinks).
y, x = np.mgrid[0:90, 0:130]
rgb = np.stack([127 + 120 * np.sin(x / 9) * np.cos(y / 14), 255 * x / 129, 255 * (y / 89) ** 2], -1)
rgb[30:50, 40:80] = [250, 30, 60]
rgb = np.clip(rgb, 0, 255).astype("u1")
color = Image.fromarray(rgb)
color.save(here / "pictures" / "color.png")
color.convert("L").save(here / "pictures" / "gray.png")
color.quantize(64).save(here / "pictures" / "palette.png")
color.save(here / "pictures" / "color.jpg", quality=95)
color.convert("L").save(here / "pictures" / "gray.jpg", quality=95)
color.resize((24, 20), Image.BOX).save(here / "pictures" / "small.png")
color.resize((96, 96), Image.BOX).convert("L").save(here / "pictures" / "same.png")
color.convert("CMYK").save(here / "pictures" / "cmyk.jpg", quality=95)
color.save(here / "pictures" / "progressive.jpg", quality=95, progressive=True)


def adam7(m, path):
    """An interlaced grey PNG, which Pillow reads and doesn't write."""
    a = np.asarray(m)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b""
    for x, y, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for row in a[y::dy, x::dx]:
            lines += b"\0" + row.tobytes()
    head = struct.pack(">IIBBBBB", m.width, m.height, 8, 0, 0, 0, 1)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))


adam7(color.convert("L"), here / "pictures" / "interlaced.png")
deep = np.asarray(color.convert("L")).astype(np.uint16) * 257
Image.fromarray(deep).save(here / "pictures" / "sixteen.png")
pictures = {}
for p in sorted((here / "pictures").iterdir()):
    m = Image.open(p)
    if m.mode.startswith("I;16"):
        g = Image.fromarray((np.asarray(m) // 257).astype(np.uint8))
    else:
        g = m.convert("RGB").convert("L") if m.mode != "L" else m
    r = g.resize((96, 96), Image.BICUBIC)
    pictures[p.name] = {"scale": [m.width / 96, m.height / 96], "gray": list(r.tobytes())[::7]}
out["pictures"] = pictures

json.dump(out, open(here / "expected.json", "w"))
