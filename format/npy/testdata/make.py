"""Makes the arrays beside it with NumPy 2.4: each holds the values of value(i), i its place in row-major order.

Run in this folder: python make.py
"""

import io
import pathlib
import zipfile

import numpy as np

here = pathlib.Path(__file__).parent


def value(dtype, shape):
    n = np.arange(int(np.prod(shape, dtype=int)))
    kind = np.dtype(dtype).kind
    if kind == "b":
        flat = n % 3 == 1
    elif kind == "f":
        flat = n * 0.25 - 2
    elif kind == "i":
        flat = n * 5 - 7
    else:
        flat = n * 5 % 128
    return flat.astype(dtype).reshape(shape)


def save(name, array, version=(1, 0)):
    with open(here / name, "wb") as f:
        np.lib.format.write_array(f, array, version=version)


for dtype in ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
    save(f"{dtype}.npy", value(dtype, (2, 3)))
    if np.dtype(dtype).itemsize > 1:
        save(f"{dtype}-big.npy", value(dtype, (2, 3)).astype(">" + dtype))
save("f4-scalar.npy", value("f4", ()))
save("f4-empty.npy", value("f4", (3, 0, 2)))
save("f4-vector.npy", value("f4", (5,)))
save("f4-fortran.npy", np.asfortranarray(value("f4", (2, 3, 4))))
save("i2-big-fortran.npy", np.asfortranarray(value(">i2", (3, 1, 2, 2))))
save("f4-v2.npy", value("f4", (2, 3)), (2, 0))
save("f4-v3.npy", value("f4", (2, 3)), (3, 0))
save("f4-wide.npy", value("f4", (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 6)))

# What Python 2's NumPy wrote.
head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }".ljust(69) + b"\n"
(here / "f4-python2.npy").write_bytes(b"\x93NUMPY\x01\x00\x46\x00" + head + value("f4", (2, 3)).tobytes())

np.save(here / "bad-object.npy", np.array([{"a": 1}, None], dtype=object))
np.save(here / "bad-record.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
np.save(here / "bad-text.npy", np.array(["abc"]))
np.save(here / "bad-complex.npy", np.zeros(2, dtype="c8"))
np.save(here / "bad-time.npy", np.zeros(2, dtype="M8[s]"))
good = (here / "f4.npy").read_bytes()
(here / "bad-short.npy").write_bytes(good[:-1])
(here / "bad-long.npy").write_bytes(good + b"\0")
(here / "bad-cut-header.npy").write_bytes(good[:40])
(here / "bad-bool.npy").write_bytes((here / "b1.npy").read_bytes()[:-1] + b"\x02")
(here / "bad-huge.npy").write_bytes(good.replace(b"(2, 3), }            ", b"(1000000, 1000000), }")[: len(good)])

arrays = {"a/weights": value("f4", (2, 3)), "a/bias": value("f8", (3,)), "mask": value("b1", (2, 3)), "n": value("i8", ())}
np.savez(here / "stored.npz", **arrays)
np.savez_compressed(here / "deflated.npz", **arrays)
np.savez(here / "numbered.npz", *[value("f4", (2, 3)), value("f4", (3,))])
np.savez(here / "bad-object.npz", x=np.array([None, 1], dtype=object))
data = bytearray((here / "stored.npz").read_bytes())
at = data.index(value("f4", (2, 3)).tobytes())
data[at] ^= 1
(here / "bad-checksum.npz").write_bytes(data)
with zipfile.ZipFile(here / "bad-method.npz", "w", zipfile.ZIP_BZIP2) as z:
    z.writestr("x.npy", good)
with zipfile.ZipFile(here / "with-others.npz", "w") as z:
    z.writestr("x.npy", good)
    z.writestr("about.json", '{"a": 1}')
zeros = io.BytesIO()
np.save(zeros, np.zeros(1 << 20, dtype="u1"))
with zipfile.ZipFile(here / "bad-bomb.npz", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("x.npy", zeros.getvalue())
# Its list claims 3 GiB, twice.
data = bytearray((here / "bad-bomb.npz").read_bytes())
at = data.index(b"PK\x01\x02")
data[at + 24 : at + 28] = (3 << 30).to_bytes(4, "little")
(here / "bad-bomb.npz").write_bytes(data)
