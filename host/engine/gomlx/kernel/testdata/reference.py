"""Expected values of convolutions and pools, from PyTorch, for kernel_test.go.

    python reference.py        writes reference.json.gz beside itself

Inputs are small whole numbers divided by 8, so float32 holds every sum exactly
enough and the file stays small. Layouts are NHWC and HWIO. Made with PyTorch
2.15 and NumPy 2.
"""
import gzip
import itertools
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(7)


def grid(*shape):
    return rng.integers(-8, 9, size=shape).astype(np.float64) / 8


def flat(a):
    """Values times 64 as integers where they are, which they are for convolutions."""
    a = np.asarray(a)
    scaled = a * 64
    if np.array_equal(scaled, np.rint(scaled)):
        return {"shape": list(a.shape), "per64": [int(v) for v in scaled.ravel()]}
    return {"shape": list(a.shape), "values": [float(np.float32(v)) for v in a.ravel()]}


def nchw(a):
    return torch.tensor(np.ascontiguousarray(np.transpose(a, (0, 3, 1, 2))), requires_grad=True)


def nhwc(t):
    return np.transpose(t.detach().numpy(), (0, 2, 3, 1))


def conv(n, h, w, cin, cout, kh, kw, strides, dilations, padding, groups, bias):
    x, f, b = grid(n, h, w, cin), grid(kh, kw, cin // groups, cout), grid(cout)
    tx = nchw(x)
    tf = torch.tensor(np.ascontiguousarray(np.transpose(f, (3, 2, 0, 1))), requires_grad=True)
    tb = torch.tensor(b, requires_grad=True)
    (top, bottom), (left, right) = padding
    y = F.conv2d(F.pad(tx, (left, right, top, bottom)), tf, tb if bias else None,
                 stride=strides, dilation=dilations, groups=groups)
    dy = grid(*nhwc(y).shape)
    y.backward(torch.tensor(np.transpose(dy, (0, 3, 1, 2))))
    case = dict(op="conv", strides=strides, dilations=dilations, padding=padding, groups=groups,
                x=flat(x), w=flat(f), y=flat(nhwc(y)), dy=flat(dy), dx=flat(nhwc(tx.grad)),
                dw=flat(np.transpose(tf.grad.numpy(), (2, 3, 1, 0))))
    if bias:
        case.update(b=flat(b), db=flat(tb.grad.numpy()))
    return case


def pool(kind, n, h, w, c, window, strides, padding, count_padding, ties):
    x = grid(n, h, w, c)
    if ties:  # As after a rectifier: many equal zeros.
        x = np.maximum(x, 0)
    tx = nchw(x)
    (top, bottom), (left, right) = padding
    if kind == "max":
        # An explicit border of -inf allows one that is not symmetric.
        y = F.max_pool2d(F.pad(tx, (left, right, top, bottom), value=-np.inf), window, strides)
    else:
        assert count_padding or (top == bottom and left == right)
        if count_padding:
            y = F.avg_pool2d(F.pad(tx, (left, right, top, bottom)), window, strides)
        else:
            y = F.avg_pool2d(tx, window, strides, padding=(top, left), count_include_pad=False)
    dy = grid(*nhwc(y).shape)
    y.backward(torch.tensor(np.transpose(dy, (0, 3, 1, 2))))
    return dict(op=kind, window=window, strides=strides, padding=padding, countPadding=count_padding,
                x=flat(x), y=flat(nhwc(y)), dy=flat(dy), dx=flat(nhwc(tx.grad)))


def main():
    cases = []
    none, one = ((0, 0), (0, 0)), ((1, 1), (1, 1))

    # Every kernel size, stride, dilation and padding, on inputs just large enough.
    for k, s, d, p in itertools.product(range(1, 6), range(1, 4), range(1, 4), range(0, 3)):
        size = max((k - 1) * d + 1 - 2 * p, 1) + 2 * s + (k + s + d + p) % 3
        cases.append(conv(1, size, size + 1, 1, 2, k, k, (s, s), (d, d), ((p, p), (p, p)), 1, False))
    # Kernels, strides, dilations and paddings that differ by axis or side.
    for i, (kh, kw) in enumerate(itertools.product(range(1, 6), repeat=2)):
        cases.append(conv(1, 9, 8, 2, 3, kh, kw, (1 + i % 3, 1 + i // 3 % 3), (1 + i % 2, 1),
                          ((i % 3, (i + 1) % 3), (i // 2 % 3, i // 5 % 3)), 1, i % 2 == 0))
    # "Same" padding of even kernels, and padding wider than the kernel.
    for k in (2, 4):
        cases.append(conv(2, 6, 6, 2, 2, k, k, (1, 1), (1, 1), (((k - 1) // 2, k // 2),) * 2, 1, True))
    cases.append(conv(1, 4, 4, 1, 2, 2, 2, (1, 1), (1, 1), ((3, 3), (2, 4)), 1, True))
    # Groups, up to one channel each.
    for groups, cin, cout in ((2, 4, 6), (3, 3, 3), (4, 4, 8), (2, 2, 2)):
        for k, s, d in ((1, 1, 1), (2, 1, 1), (3, 1, 1), (3, 2, 1), (2, 1, 2), (3, 2, 2), (4, 3, 1)):
            cases.append(conv(2, 7, 8, cin, cout, k, k, (s, s), (d, d), one, groups, True))
    # Layers as the report's networks have them, in small.
    for cin, cout, k, pad, size in ((1, 4, 3, none, 10), (4, 6, 2, none, 9), (3, 4, 3, one, 8), (1, 4, 3, one, 8)):
        cases.append(conv(3, size, size, cin, cout, k, k, (1, 1), (1, 1), pad, 1, True))
    # More images than a filter's gradient takes at once.
    for n, cin, k, pad in ((6, 2, 3, one), (9, 3, 3, none), (5, 5, 2, none)):
        cases.append(conv(n, 5, 6, cin, 3, k, k, (1, 1), (1, 1), pad, 1, True))

    for ties in (False, True):
        for k, s in itertools.product(range(1, 5), range(1, 4)):
            cases.append(pool("max", 2, 7, 8, 2, (k, k), (s, s), none, False, ties))
            if k > 1:
                cases.append(pool("max", 1, 7, 6, 2, (k, k), (s, s), ((1, 1), (0, 1)), False, ties))
    for k, s in itertools.product(range(1, 5), range(1, 4)):
        cases.append(pool("avg", 2, 7, 8, 2, (k, k), (s, s), none, False, False))
        if k > 1:
            cases.append(pool("avg", 1, 7, 6, 2, (k, k), (s, s), ((1, 0), (0, 1)), True, False))
            cases.append(pool("avg", 1, 7, 6, 2, (k, k), (s, s), one if k < 4 else ((2, 2), (1, 1)), False, False))
    cases.append(pool("max", 2, 8, 9, 3, (2, 3), (2, 3), none, False, True))
    cases.append(pool("avg", 2, 8, 9, 3, (2, 3), (1, 2), none, False, False))

    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.json.gz")
    text = json.dumps(cases, separators=(",", ":")).encode()
    with open(out, "wb") as f:
        f.write(gzip.compress(text, 9, mtime=0))
    print(len(cases), "cases,", len(text), "bytes,", os.path.getsize(out), "compressed")


main()
