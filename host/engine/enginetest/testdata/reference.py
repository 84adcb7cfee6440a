"""Expected values of layers, losses and optimizers, from PyTorch in float64, for the tests of package engine.

    python reference.py        writes reference.json.gz beside itself

Layers are written as in a blueprint; arrays have the batch first, and layouts
are the blueprint's (NHWC, HWIO, [in, out]). Inputs are small whole numbers
divided by 8. The schedules, the optimizers' SGD and the paddings are written
out here by the blueprint's documentation; all else is PyTorch's own. Made with
PyTorch 2.15 and NumPy 2.
"""
import gzip
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(11)


def grid(*shape, low=-8, high=9):
    return rng.integers(low, high, size=shape).astype(np.float64) / 8


def array(a):
    """Whole numbers of 64ths where the values are such, else nine digits."""
    a = np.asarray(a.detach() if torch.is_tensor(a) else a, dtype=np.float64)
    q = a * 64
    if np.array_equal(q, np.rint(q)):
        return {"shape": list(a.shape), "per64": [int(v) for v in q.ravel()]}
    return {"shape": list(a.shape), "values": [float("%.9g" % v) for v in a.ravel()]}


def two(v):
    return list(v) if isinstance(v, (list, tuple)) else [v, v]


def amounts(padding, size, window, stride, dilation):
    """Rows and columns put at [[top, bottom], [left, right]]."""
    if padding == "valid":
        return [[0, 0], [0, 0]]
    if padding == "same":
        out = []
        for i in range(2):
            total = max((math.ceil(size[i] / stride[i]) - 1) * stride[i] + (window[i] - 1) * dilation[i] + 1 - size[i], 0)
            out.append([total // 2, total - total // 2])
        return out
    if isinstance(padding, int):
        return [[padding] * 2] * 2
    if isinstance(padding[0], int):
        return [[padding[0]] * 2, [padding[1]] * 2]
    return padding


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def pad(x, p, value=0.0):
    return F.pad(x, (p[1][0], p[1][1], p[0][0], p[0][1]), value=value)


ACTIVATIONS = {
    "linear": lambda x, slope: x,
    "relu": lambda x, slope: F.relu(x),
    "gelu": lambda x, slope: F.gelu(x),
    "silu": lambda x, slope: F.silu(x),
    "tanh": lambda x, slope: torch.tanh(x),
    "sigmoid": lambda x, slope: torch.sigmoid(x),
    "elu": lambda x, slope: F.elu(x),
    "leaky_relu": lambda x, slope: F.leaky_relu(x, slope),
}


class Net:
    """Runs layers; parameters are made the first time that they are asked for."""

    def __init__(self, layers, params=None):
        self.layers = layers
        self.params = params if params is not None else {}
        self.updates = {}

    def param(self, layer, name, shape, low=-8, high=9):
        key = layer["name"] + "/" + name
        if key not in self.params:
            self.params[key] = torch.tensor(grid(*shape, low=low, high=high), requires_grad=True)
        return self.params[key]

    def run(self, values, train):
        values = dict(values)
        last = list(values)[-1]
        for l in self.layers:
            x = [values[i] for i in l.get("inputs", [last])]
            y = getattr(self, l["kind"])(l, x, train)
            values[l["name"]] = ACTIVATIONS[l.get("activation", "linear")](y, 0.01)
            last = l["name"]
        return values[last]

    def conv2d(self, l, x, train):
        x = x[0]
        k, s, d = two(l.get("kernel", 3)), two(l.get("stride", 1)), two(l.get("dilation", 1))
        groups = l.get("groups", 1)
        w = self.param(l, "weights", (k[0], k[1], x.shape[3] // groups, l["filters"]))
        p = amounts(l.get("padding", "valid"), x.shape[1:3], k, s, d)
        y = nhwc(F.conv2d(pad(nchw(x), p), w.permute(3, 2, 0, 1), None, s, 0, d, groups))
        bias = l.get("bias", "shared")
        if bias == "shared":
            y = y + self.param(l, "bias", (l["filters"],))
        elif bias == "untied":
            y = y + self.param(l, "bias", y.shape[1:])
        return y

    def max_pool(self, l, x, train):
        w = two(l.get("window", 2))
        s = two(l.get("stride", w))
        p = amounts(l.get("padding", "valid"), x[0].shape[1:3], w, s, [1, 1])
        return nhwc(F.max_pool2d(pad(nchw(x[0]), p, -math.inf), w, s))

    def avg_pool(self, l, x, train):
        w = two(l.get("window", 2))
        s = two(l.get("stride", w))
        p = amounts(l.get("padding", "valid"), x[0].shape[1:3], w, s, [1, 1])
        y = F.avg_pool2d(pad(nchw(x[0]), p), w, s)
        if not l.get("count_padding", False):
            y = y / F.avg_pool2d(pad(torch.ones_like(nchw(x[0])), p), w, s)
        return nhwc(y)

    def global_avg_pool(self, l, x, train):
        return F.adaptive_avg_pool2d(nchw(x[0]), 1).flatten(1)

    def dense(self, l, x, train):
        w = self.param(l, "weights", (x[0].shape[-1], l["units"]))
        b = self.param(l, "bias", (l["units"],)) if l.get("bias", "shared") == "shared" else None
        return F.linear(x[0], w.T, b)

    def batch_norm(self, l, x, train):
        x = x[0]
        c, m, eps = x.shape[-1], l.get("momentum", 0.9), l.get("epsilon", 1e-5)
        scale, offset = self.param(l, "scale", (c,)), self.param(l, "offset", (c,))
        mean, variance = self.param(l, "mean", (c,)), self.param(l, "variance", (c,), 1, 17)
        flat = x.reshape(-1, c)
        if train:
            key = l["name"] + "/"
            self.updates[key + "mean"] = m * mean.detach() + (1 - m) * flat.mean(0).detach()
            self.updates[key + "variance"] = m * variance.detach() + (1 - m) * flat.var(0, unbiased=False).detach()
        y = F.batch_norm(flat, mean.detach().clone(), variance.detach().clone(), scale, offset, train, 0.0, eps)
        return y.reshape(x.shape)

    def layer_norm(self, l, x, train):
        c = x[0].shape[-1]
        return F.layer_norm(x[0], (c,), self.param(l, "scale", (c,)), self.param(l, "offset", (c,)), l.get("epsilon", 1e-5))

    def dropout(self, l, x, train):
        assert not train or l["rate"] == 0
        return x[0]

    def activation(self, l, x, train):
        return ACTIVATIONS[l.get("function", "relu")](x[0], l.get("slope", 0.01))

    def add(self, l, x, train):
        y = x[0]
        for v in x[1:]:
            y = y + v
        return y

    def multiply(self, l, x, train):
        y = x[0]
        for v in x[1:]:
            y = y * v
        return y

    def concat(self, l, x, train):
        return torch.cat(x, -1)

    def flatten(self, l, x, train):
        return x[0].flatten(1)

    def reshape(self, l, x, train):
        return x[0].reshape([x[0].shape[0]] + l["shape"])

    def upsample(self, l, x, train):
        f = [float(v) for v in two(l.get("factor", 2))]
        mode = l.get("method", "nearest")
        if mode == "nearest":
            return nhwc(F.interpolate(nchw(x[0]), scale_factor=f, mode=mode))
        return nhwc(F.interpolate(nchw(x[0]), scale_factor=f, mode=mode, align_corners=False))

    def softmax(self, l, x, train):
        return F.softmax(x[0], -1)

    def soft_argmax(self, l, x, train):
        n, h, w, c = x[0].shape
        p = F.softmax(x[0].reshape(n, h * w, c) / l.get("temperature", 1), 1).reshape(n, h, w, c)
        xs, ys = (2 * torch.arange(w) + 1) / w - 1, (2 * torch.arange(h) + 1) / h - 1
        x, y = torch.einsum("nhwc,w->nc", p, xs), torch.einsum("nhwc,h->nc", p, ys)
        return torch.stack([x, y], -1).flatten(1)

    def attention(self, l, x, train):
        x = x[0]
        n, c, heads = x.shape[0], x.shape[-1], l.get("heads", 1)
        names = ["query", "key", "value", "output"]
        w = [self.param(l, k, (c, c)) for k in names]
        b = [self.param(l, k + "_bias", (c,)) for k in names]
        tokens = x.reshape(n, -1, c).transpose(0, 1)
        y, _ = F.multi_head_attention_forward(
            tokens, tokens, tokens, c, heads, torch.cat([v.T for v in w[:3]]), torch.cat(b[:3]), None, None, False, 0.0,
            w[3].T, b[3], need_weights=False)
        return y.transpose(0, 1).reshape(x.shape)


LAYERS = []


def case(name, layers, *shapes, batch=2, inputs=None):
    """A case of layers on inputs x0, x1, ... of these shapes (without the batch)."""
    net = Net(layers)
    names = ["x%d" % i for i in range(len(shapes))]
    x = {k: torch.tensor(grid(batch, *s), requires_grad=True) for k, s in zip(names, shapes)}
    y = net.run(x, True)
    dy = grid(*y.shape)
    y.backward(torch.tensor(dy))
    out = dict(name=name, layers=layers, inputs={k: array(v) for k, v in x.items()},
               params={k: array(v) for k, v in net.params.items()}, dy=array(dy), y=array(y),
               dx={k: array(v.grad) for k, v in x.items()},
               dparams={k: array(v.grad) for k, v in net.params.items() if v.grad is not None},
               updates={k: array(v) for k, v in net.updates.items()})
    if net.updates:
        out["predicted"] = array(net.run(x, False))
    LAYERS.append(out)


def one(name, kind, *shapes, batch=2, **settings):
    layer = dict(name=kind, kind=kind, **settings)
    if len(shapes) > 1 and "inputs" not in layer:
        layer["inputs"] = ["x%d" % i for i in range(len(shapes))]
    case(kind + " " + name, [layer], *shapes, batch=batch)


def convolutions():
    for k in range(1, 6):
        one("kernel %d" % k, "conv2d", (6, 7, 2), filters=3, kernel=k)
        one("kernel %d same" % k, "conv2d", (5, 6, 2), filters=2, kernel=k, padding="same")
        one("kernel %d stride 2 same" % k, "conv2d", (6, 5, 2), filters=2, kernel=k, stride=2, padding="same")
        one("kernel %d dilation 2" % k, "conv2d", (9, 10, 1), filters=2, kernel=k, dilation=2)
    for k, s, p, d in ((2, 3, 1, 1), (3, 2, 1, 2), (4, 2, 2, 1), (4, 3, 1, 2), (5, 3, 2, 1), (2, 2, 0, 3), (3, 3, 3, 1)):
        one("kernel %d stride %d padding %d dilation %d" % (k, s, p, d), "conv2d", (8, 9, 2), filters=2, kernel=k, stride=s, padding=p, dilation=d)
    one("uneven", "conv2d", (7, 8, 2), filters=2, kernel=[2, 3], stride=[2, 1], padding=[[1, 0], [0, 2]], dilation=[1, 2])
    one("padding of two", "conv2d", (5, 4, 2), filters=2, kernel=[4, 1], padding=[2, 0])
    one("same, dilated", "conv2d", (6, 6, 1), filters=2, kernel=4, padding="same", dilation=2)
    for groups, cin, cout in ((2, 4, 6), (3, 3, 3), (4, 4, 8), (2, 2, 2)):
        for k, s in ((3, 1), (2, 2), (1, 1)):
            one("%d groups of %d to %d, kernel %d, stride %d" % (groups, cin, cout, k, s), "conv2d", (5, 6, cin), filters=cout, kernel=k, stride=s, groups=groups, padding="same")
    one("groups, dilated", "conv2d", (7, 7, 4), filters=4, kernel=2, groups=2, dilation=2)
    for a in ACTIVATIONS:
        one(a, "conv2d", (5, 4, 2), filters=3, activation=a)
    for bias in ("untied", "none"):
        one("bias " + bias, "conv2d", (5, 4, 2), filters=3, bias=bias, activation="tanh")
    for a in ("linear", "relu", "leaky_relu", "elu", "sigmoid", "tanh", "gelu", "silu"):
        case("conv2d %s, then max_pool" % a, [
            dict(name="c", kind="conv2d", filters=3, kernel=2, activation=a), dict(name="p", kind="max_pool")], (7, 9, 2))
    for bias in ("untied", "none"):
        case("conv2d relu, bias %s, then max_pool" % bias, [
            dict(name="c", kind="conv2d", filters=3, bias=bias, activation="relu"), dict(name="p", kind="max_pool", window=3, stride=2, padding="same")], (7, 9, 2))
    case("conv2d used by two pools", [
        dict(name="c", kind="conv2d", filters=2, activation="relu"), dict(name="p", kind="max_pool", inputs=["c"]),
        dict(name="q", kind="max_pool", inputs=["c"]), dict(name="s", kind="add", inputs=["p", "q"])], (6, 6, 2))
    case("two convolutions and pools", [
        dict(name="c1", kind="conv2d", filters=4, activation="relu"), dict(name="p1", kind="max_pool"),
        dict(name="c2", kind="conv2d", filters=3, kernel=2, activation="relu"), dict(name="p2", kind="max_pool"), dict(name="f", kind="flatten")], (12, 12, 1), batch=3)


def pools():
    for kind in ("max_pool", "avg_pool"):
        one("plain", kind, (6, 8, 2))
        one("dropping the rest", kind, (7, 5, 2))
        one("3x3 stride 2", kind, (7, 8, 2), window=3, stride=2)
        one("3x3 stride 1 same", kind, (5, 6, 2), window=3, stride=1, padding="same")
        one("2x2 stride 2 same", kind, (5, 7, 2), window=2, padding="same")
        one("uneven", kind, (6, 7, 2), window=[3, 2], stride=[1, 2], padding=[[1, 0], [0, 1]])
        one("4x4 padding 1", kind, (7, 7, 1), window=4, stride=3, padding=1)
        one("stride over the window", kind, (7, 8, 2), window=2, stride=3)
        one("1x1", kind, (4, 5, 2), window=1)
    one("same, counting", "avg_pool", (5, 6, 2), window=3, stride=1, padding="same", count_padding=True)
    one("uneven, counting", "avg_pool", (6, 7, 2), window=[3, 2], stride=[1, 2], padding=[[1, 0], [0, 1]], count_padding=True)
    one("image", "global_avg_pool", (5, 4, 3))
    one("one pixel", "global_avg_pool", (1, 1, 3))


def flat_kinds():
    one("vector", "dense", (5,), units=3)
    one("no bias", "dense", (5,), units=3, bias="none", activation="gelu")
    one("tokens", "dense", (4, 5), units=3, activation="relu")
    one("image", "dense", (3, 2, 5), units=4, activation="silu")
    one("rank 4", "dense", (2, 3, 2, 4), units=3, activation="elu")
    one("one unit", "dense", (4,), units=1, activation="sigmoid")
    one("one input", "dense", (1,), units=4, activation="tanh")
    for name, shape in (("vector", (4,)), ("tokens", (3, 4)), ("image", (3, 4, 2)), ("rank 4", (2, 2, 3, 2))):
        one(name, "batch_norm", shape, batch=3)
        one(name, "layer_norm", shape)
        one(name, "softmax", shape)
        one("identity, " + name, "dropout", shape, rate=0)
    for a in ACTIVATIONS:
        one("with " + a, "batch_norm", (3, 2, 2), batch=3, activation=a, momentum=0.75, epsilon=0.01)
        one(a, "activation", (3, 2, 4), function=a)
        one("vector " + a, "activation", (9,), function=a, slope=0.25)
    one("epsilon", "layer_norm", (2, 3, 4), epsilon=0.1)
    one("image", "flatten", (2, 3, 4))
    one("vector", "flatten", (5,))
    one("to image", "reshape", (12,), shape=[2, 3, 2])
    one("to vector", "reshape", (2, 3, 2), shape=[-1])
    one("to tokens", "reshape", (2, 3, 2), shape=[-1, 2])
    one("to rank 4", "reshape", (4, 2, 3), shape=[2, 2, 1, 6])


def joins():
    for kind in ("add", "multiply"):
        one("vectors", kind, (5,), (5,))
        one("images", kind, (3, 4, 2), (3, 4, 2))
        one("three", kind, (3, 2, 2), (3, 2, 2), (3, 2, 2))
        one("channel gate", kind, (3, 4, 2), (1, 1, 2))
        one("gate first", kind, (1, 1, 2), (3, 4, 2))
        one("pixel gate", kind, (3, 4, 2), (3, 4, 1))
        one("crossed", kind, (3, 1, 2), (1, 4, 2))
        one("crossed vectors", kind, (3, 1), (1, 4))
        one("three, one repeated", kind, (1, 1, 2), (3, 2, 2), (3, 2, 1))
        one("itself", kind, (3, 4, 2), inputs=["x0", "x0"])
        one("itself and another", kind, (3, 4, 2), (3, 4, 2), inputs=["x0", "x1", "x0"])
        case(kind + " with what was made of it", [
            dict(name="d", kind="dense", units=2, activation="tanh"), dict(name="s", kind=kind, inputs=["x0", "d"])], (3, 4, 2))
    for a in ACTIVATIONS:
        one("with " + a, "add", (3, 2, 2), (3, 2, 2), activation=a)
    one("crossed, relu", "add", (3, 1, 2), (1, 4, 2), activation="relu")
    one("vectors", "concat", (3,), (4,))
    one("images", "concat", (3, 2, 2), (3, 2, 3), (3, 2, 1))
    one("itself", "concat", (3, 2, 2), inputs=["x0", "x0"])
    case("concat with what was made of it", [
        dict(name="d", kind="conv2d", filters=2, kernel=2, padding="same", activation="relu"), dict(name="s", kind="concat", inputs=["x0", "d"])], (3, 4, 2))


def maps():
    for method in ("nearest", "bilinear"):
        one(method + " 2", "upsample", (3, 4, 2), method=method)
        one(method + " 3", "upsample", (2, 3, 1), factor=3, method=method)
        one(method + " uneven", "upsample", (3, 2, 2), factor=[1, 4], method=method)
        one(method + " of one pixel", "upsample", (1, 1, 2), factor=[2, 3], method=method)
        one(method + " of two", "upsample", (2, 1, 2), factor=[5, 1], method=method)
    one("plain", "soft_argmax", (4, 5, 3))
    one("sharp", "soft_argmax", (5, 3, 2), temperature=0.25)
    one("one pixel", "soft_argmax", (1, 1, 2))
    one("tokens", "attention", (4, 6))
    one("three heads", "attention", (4, 6), heads=3)
    one("image", "attention", (2, 3, 4), heads=2)
    one("one token", "attention", (1, 4), heads=2)
    one("as many heads as features", "attention", (3, 4), heads=4)


def graphs():
    case("residual block", [
        dict(name="c1", kind="conv2d", filters=2, padding="same", bias="none"), dict(name="b1", kind="batch_norm", activation="relu"),
        dict(name="c2", kind="conv2d", filters=2, padding="same", bias="none"), dict(name="b2", kind="batch_norm"),
        dict(name="s", kind="add", inputs=["x0", "b2"], activation="relu")], (4, 5, 2), batch=3)
    case("squeeze and excite", [
        dict(name="c", kind="conv2d", filters=4, padding="same", activation="silu"), dict(name="g", kind="global_avg_pool"),
        dict(name="d1", kind="dense", units=2, activation="relu"), dict(name="d2", kind="dense", units=4, activation="sigmoid"),
        dict(name="r", kind="reshape", shape=[1, 1, 4]), dict(name="m", kind="multiply", inputs=["c", "r"])], (4, 3, 2))
    case("transformer block", [
        dict(name="n1", kind="layer_norm"), dict(name="a", kind="attention", heads=2), dict(name="s1", kind="add", inputs=["x0", "a"]),
        dict(name="n2", kind="layer_norm"), dict(name="d1", kind="dense", units=6, activation="gelu"), dict(name="d2", kind="dense", units=4),
        dict(name="s2", kind="add", inputs=["s1", "d2"])], (3, 4))
    case("hourglass", [
        dict(name="c1", kind="conv2d", filters=2, padding="same", activation="relu"), dict(name="p", kind="max_pool"),
        dict(name="c2", kind="conv2d", filters=3, padding="same", activation="elu"), dict(name="u", kind="upsample", method="bilinear"),
        dict(name="j", kind="concat", inputs=["c1", "u"]), dict(name="h", kind="conv2d", filters=2, kernel=1),
        dict(name="o", kind="soft_argmax", temperature=2)], (4, 6, 1))


LOSSES = []


def losses():
    for kind, delta, epsilon in (("mse", 0, 0), ("mae", 0, 0), ("huber", 0, 0), ("huber", 0.25, 0), ("wing", 0, 0), ("wing", 0.5, 0.125)):
        answer = torch.tensor(grid(5, 4), requires_grad=True)
        target = torch.tensor(grid(5, 4) * 0.75)  # differences lie on both sides of delta
        with torch.no_grad():
            target[0, 0] = answer[0, 0]
        filled = torch.tensor(rng.integers(0, 2, size=(5, 4)).astype(np.float64))
        filled[0, 0] = 1
        target = target * filled  # as the engine has it
        y, t = answer[filled > 0], target[filled > 0]
        if kind == "mse":
            cells = F.mse_loss(y, t, reduction="none")
        elif kind == "mae":
            cells = F.l1_loss(y, t, reduction="none")
        elif kind == "huber":
            cells = F.huber_loss(y, t, reduction="none", delta=delta or 1)
        else:
            w, e = delta or 10 / 48, epsilon or 2 / 48
            d = (y - t).abs()
            cells = torch.where(d < w, w * torch.log(1 + d / e), d - w + w * math.log(1 + w / e))
        cells.mean().backward()
        LOSSES.append(dict(loss={k: v for k, v in dict(kind=kind, delta=delta, epsilon=epsilon).items() if v}, answer=array(answer),
                           target=array(target), filled=array(filled), cells=array(cells), sum=float(cells.sum().detach()),
                           gradient=array(answer.grad)))


TRAININGS = []


def schedule(s, epoch, epochs, step, per_epoch):
    """The value of a schedule at a moment, by the blueprint's documentation."""
    if not isinstance(s, dict):
        return s
    by_step = s.get("by", "epoch") == "step"
    i, n, each = (step, epochs * per_epoch, per_epoch) if by_step else (epoch, epochs, 1)
    p = i / (n - 1)
    if s["kind"] == "linear":
        v = s["from"] + (s["to"] - s["from"]) * p
    elif s["kind"] == "cosine":
        v = s["to"] + (s["from"] - s["to"]) * (1 + math.cos(math.pi * p)) / 2
    warm = s.get("warmup", 0) * each
    return v * (i + 1) / (warm + 1) if i < warm else v


def training(name, recipe, scaling="unit", steps=5):
    """Some steps of a small network, with rows that have empty cells. No parameter's
    gradient is zero but for rounding, which Adam would make steps of."""
    rows, columns, side, batch, epochs = 11, 4, 6, 4, 2
    layers = [
        dict(name="conv", kind="conv2d", filters=3, padding="same", activation="relu"), dict(name="pool", kind="max_pool"),
        dict(name="flat", kind="flatten"), dict(name="hidden", kind="dense", units=6, activation="tanh"),
        dict(name="norm", kind="batch_norm", epsilon=0.05), dict(name="out", kind="dense", units=columns)]
    images = rng.integers(0, 256, size=(rows, side, side, 1))
    points = rng.integers(0, 8 * side + 1, size=(rows, columns)) / 8
    points[rng.random((rows, columns)) < 0.25] = math.nan
    per_epoch = math.ceil(rows / batch)
    batches = [[int(r) for r in rng.permutation(rows)[:batch if s % per_epoch < per_epoch - 1 else rows % batch]] for s in range(steps)]

    x = torch.tensor(images / 255.0)
    if scaling == "standardize":
        f = x.flatten(1)
        x = ((f - f.mean(1, keepdim=True)) / f.std(1, unbiased=False, keepdim=True).clamp(min=1 / 255)).reshape(x.shape)
    net = Net(layers)
    net.run({"input": x}, True)
    for k, p in net.params.items():  # of the size that a network starts with
        if k.endswith("weights"):
            p.data *= 0.5
    first = {k: array(v) for k, v in net.params.items()}
    running = ["norm/mean", "norm/variance"]
    trainable = [k for k in net.params if k not in running]
    average = {k: v.detach().clone() for k, v in net.params.items()}
    velocity = {k: torch.zeros_like(net.params[k]) for k in trainable}
    o = recipe["optimizer"]
    adam = None
    if o["kind"] != "sgd":
        decays = [k for k in trainable if k.endswith("weights")]
        groups = [dict(params=[net.params[k] for k in decays], weight_decay=o.get("decay", 0.01) if o["kind"] == "adamw" else 0.0),
                  dict(params=[net.params[k] for k in trainable if k not in decays], weight_decay=0.0)]
        adam = (torch.optim.AdamW if o["kind"] == "adamw" else torch.optim.Adam)(groups)

    target = torch.tensor((points - side / 2) / (side / 2))
    total, cells = 0.0, 0
    for step, at in enumerate(batches):
        def now(s):
            return schedule(s, step // per_epoch, epochs, step, per_epoch)

        for k in trainable:
            net.params[k].grad = None
        y, t = net.run({"input": x[at]}, True), target[at]
        filled = ~torch.isnan(t)
        y, t = y[filled], t[filled]
        loss = dict(mse=F.mse_loss, mae=F.l1_loss, huber=F.huber_loss)[recipe["loss"]["kind"]](y, t)
        loss.backward()
        total, cells = total + float(loss.detach()) * int(filled.sum()), cells + int(filled.sum())
        if now(o.get("clip", 0)):
            torch.nn.utils.clip_grad_norm_([net.params[k] for k in trainable], now(o["clip"]))
        rate = now(recipe["rate"])
        if adam:
            for g in adam.param_groups:
                g.update(lr=rate, betas=(now(o.get("beta1", 0.9)), now(o.get("beta2", 0.999))), eps=now(o.get("epsilon", 1e-8)))
            adam.step()
        else:
            m = now(o.get("momentum", 0))
            for k in trainable:
                p = net.params[k]
                velocity[k] = m * velocity[k] - rate * p.grad
                p.data += m * velocity[k] - rate * p.grad if o.get("nesterov") else velocity[k]
        for k, v in net.updates.items():
            net.params[k].data = v
        if "average" in recipe:
            d = min(now(recipe["average"]["decay"]), (1 + step) / (10 + step))
            for k, v in net.params.items():
                average[k] = d * average[k] + (1 - d) * v.detach()

    state = {"net/" + k: v for k, v in net.params.items()}
    for k in trainable:
        if adam:
            state["optimizer/mean/net/" + k] = adam.state[net.params[k]]["exp_avg"]
            state["optimizer/square/net/" + k] = adam.state[net.params[k]]["exp_avg_sq"]
        else:
            state["optimizer/velocity/net/" + k] = velocity[k]
    if "average" in recipe:
        state.update({"average/net/" + k: v for k, v in average.items()})
    recipe = dict(recipe, epochs=epochs, batch=batch, validation=0)
    TRAININGS.append(dict(name=name, scaling=scaling, layers=layers, recipe=recipe, images=[int(v) for v in images.ravel()],
                          points=[None if math.isnan(v) else v for v in points.ravel()], batches=batches,
                          weights=first, state={k: array(v) for k, v in state.items()}, loss_sum=total, cells=cells))


def trainings():
    training("sgd", dict(loss=dict(kind="mse"), optimizer=dict(kind="sgd"), rate=0.1))
    training("nesterov", dict(
        loss=dict(kind="mse", rows="filled"), optimizer=dict(kind="sgd", momentum=dict(kind="linear", **{"from": 0.5}, to=0.9), nesterov=True, clip=0.5),
        rate=dict(kind="cosine", **{"from": 0.2}, to=0.02, by="step", warmup=1), average=dict(decay=0.2)))
    training("momentum", dict(
        loss=dict(kind="huber"), optimizer=dict(kind="sgd", momentum=0.9, clip=dict(kind="linear", **{"from": 0.1}, to=10, by="step")),
        rate=dict(kind="linear", **{"from": 0.1}, to=0.01), average=dict(decay=dict(kind="linear", **{"from": 0}, to=0.3, by="step"))), scaling="standardize")
    training("adam", dict(
        loss=dict(kind="mse", rows="filled"), optimizer=dict(kind="adam", clip=0, epsilon=1e-3), rate=dict(kind="linear", **{"from": 0.05}, to=0.01, by="step")))
    training("adam, other betas", dict(
        loss=dict(kind="mae"), optimizer=dict(kind="adam", beta1=0.5, beta2=0.9, epsilon=1e-4), rate=0.02, average=dict(decay=0.9999)))
    training("adamw", dict(
        loss=dict(kind="mse"), optimizer=dict(kind="adamw", decay=0.5), rate=dict(kind="cosine", **{"from": 0.05}, to=0, by="step"), average=dict(decay=0.5)))


def main():
    for make in (convolutions, pools, flat_kinds, joins, maps, graphs, losses, trainings):
        make()
    names = [c["name"] for c in LAYERS]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.json.gz")
    text = json.dumps(dict(layers=LAYERS, losses=LOSSES, trainings=TRAININGS), separators=(",", ":"), allow_nan=False).encode()
    with open(out, "wb") as f:
        f.write(gzip.compress(text, 9, mtime=0))
    print(len(LAYERS), "layers,", len(LOSSES), "losses,", len(TRAININGS), "trainings,", len(text), "bytes,", os.path.getsize(out), "compressed")


if __name__ == "__main__":
    main()
