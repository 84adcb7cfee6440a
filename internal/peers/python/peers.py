"""A rival of fkzoo's: «peers.py RIVAL TASK» builds the network that the file TASK describes in PyTorch, JAX or ONNX Runtime,
and then does a piece of work for each line «SECONDS» on the standard input: steps until so many seconds have passed. It answers
each, and the end of the input, with a line of JSON, as internal/peers/child.go does for fkzoo.

What is measured is a step alone: data lie in memory as the framework likes them best.
"""
import json
import os
import sys
import time


def peak():
    """The most memory that this process had, bytes; 0: the system doesn't say."""
    try:
        with open("/proc/self/status") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def unknown(layer):
    raise SystemExit(f"layer {layer['name']}: found the kind {layer['kind']} with {layer['settings']}, want one that peers.py knows")


def amounts(layer):
    """The zeros around an image: "SAME" or "VALID", or [[top, bottom], [left, right]], as a blueprint says them in short."""
    p = layer["settings"]["padding"]
    if isinstance(p, str):
        return p.upper()
    p = [p, p] if isinstance(p, int) else p
    return [[side, side] if isinstance(side, int) else side for side in p]


def symmetric(layer):
    """Zeros on both sides. PyTorch pads strided convolutions so, fkzoo and JAX after the image alone: as many operations."""
    p, kernel = amounts(layer), layer["settings"]["kernel"]
    if p == "VALID":
        return 0
    if p == "SAME" and kernel[0] % 2 == 1 and kernel[1] % 2 == 1:
        return kernel[0] // 2, kernel[1] // 2
    if p == "SAME" or any(side[0] != side[1] for side in p):
        unknown(layer)
    return p[0][0], p[1][0]


# PyTorch

def pytorch(rival, task):
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.manual_seed(1)
    torch.set_num_threads(task["threads"])
    torch.set_num_interop_threads(1)
    if task["isa"] == "avx2":
        import torch._inductor.config
        torch._inductor.config.cpp.simdlen = 256
        if torch.backends.cpu.get_cpu_capability() != "AVX2":
            raise SystemExit(f"found PyTorch's kernels for {torch.backends.cpu.get_cpu_capability()}, want AVX2")

    def module(layer):
        s, n = layer["settings"], layer["in"][0]
        kind = layer["kind"]
        if kind == "conv2d" and s["bias"] != "untied":
            return nn.Conv2d(n[2], s["filters"], s["kernel"], s["stride"], symmetric(layer), s["dilation"], s["groups"], s["bias"] == "shared")
        if kind == "max_pool" and s["padding"] == "valid" and s["stride"] in ([0, 0], s["window"]):
            return nn.MaxPool2d(s["window"])
        if kind == "dense" and len(n) == 1:
            return nn.Linear(n[0], s["units"], s["bias"] == "shared")
        if kind == "batch_norm" and len(n) == 3:
            return nn.BatchNorm2d(n[2], s["epsilon"], 1 - s["momentum"])
        if kind == "dropout" and s["rescale"]:
            return nn.Dropout(s["rate"])
        if kind == "flatten":
            return nn.Flatten()
        if kind == "upsample" and s["method"] == "nearest":
            return nn.Upsample(scale_factor=tuple(map(float, s["factor"])))
        if kind == "soft_argmax":
            return SoftArgmax(n[0], n[1], s["temperature"])
        if kind == "add":
            return Sum()
        unknown(layer)

    class Sum(nn.Module):
        def forward(self, *x):
            return sum(x[1:], start=x[0])

    class SoftArgmax(nn.Module):
        def __init__(self, h, w, temperature):
            super().__init__()
            self.temperature = temperature
            self.register_buffer("y", (2 * torch.arange(h) + 1) / h - 1)
            self.register_buffer("x", (2 * torch.arange(w) + 1) / w - 1)

        def forward(self, m):
            p = (m / self.temperature).flatten(2).softmax(-1).view(m.shape)
            return torch.stack([(p.sum(2) * self.x).sum(-1), (p.sum(3) * self.y).sum(-1)], -1).flatten(1)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.modules_ = nn.ModuleList(map(module, task["layers"]))
            self.last = {i: k for k, layer in enumerate(task["layers"]) for i in layer["inputs"]}

        def forward(self, image):
            values = {-1: image}
            for k, (layer, f) in enumerate(zip(task["layers"], self.modules_)):
                x = f(*(values[i] for i in layer["inputs"]))
                activation = layer["settings"].get("activation", "linear")
                if activation == "relu":
                    x = F.relu_(x)
                elif activation != "linear":
                    unknown(layer)
                values[k] = x
                for i in layer["inputs"]:
                    if self.last[i] == k:
                        values.pop(i, None)
            return x

    device = task.get("device") or "cpu"
    net = Network().to(device)
    x = torch.rand(task["batch"], task["input"][2], *task["input"][:2], device=device)

    def wait():
        if device != "cpu":
            torch.cuda.synchronize()
    if rival != "torch":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    f = torch.compile(net) if rival == "torch-compiled" else net
    count = sum(p.numel() for p in net.parameters())
    if not task["train"]:
        net.eval()

        def answer():
            with torch.inference_mode():
                f(x)
            wait()
        return count, answer, torch.__version__

    net.train()
    parameters = list(net.parameters())
    target = torch.rand(task["batch"], task["columns"], device=device) * 2 - 1
    loss_of = {"mse": F.mse_loss, "mae": F.l1_loss}[task["recipe"]["loss"]]
    o = task["recipe"]["optimizer"]
    if o["kind"] == "sgd":
        optimizer = torch.optim.SGD(parameters, o["rate"], o["momentum"], nesterov=o["nesterov"], fused=True)
    else:
        make = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[o["kind"]]
        optimizer = make(parameters, o["rate"], (o["beta1"], o["beta2"]), o["epsilon"], o["decay"], fused=True)
    average = task["recipe"]["average"]
    kept = [p.detach().clone() for p in parameters] if average else []

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(f(x), target)
        loss.backward()
        if o["clip"]:
            nn.utils.clip_grad_norm_(parameters, o["clip"])
        optimizer.step()
        if kept:
            with torch.no_grad():
                torch._foreach_lerp_(kept, parameters, 1 - average)
        wait()
    return count, step, torch.__version__


# JAX

def jax_network(task, jax):
    """Parameters, running statistics, and the function that gives the answer and new statistics."""
    import numpy as np
    from jax import lax, numpy as jnp

    r = np.random.default_rng(1)
    params, stats = {}, {}

    def draw(*shape):
        return jnp.asarray(r.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape), jnp.float32)

    for layer in task["layers"]:
        s, n, name = layer["settings"], layer["in"][0], layer["name"]
        if layer["kind"] == "conv2d":
            params[name] = {"w": draw(*s["kernel"], n[2] // s["groups"], s["filters"])}
        elif layer["kind"] == "dense":
            params[name] = {"w": draw(n[0], s["units"])}
        elif layer["kind"] == "batch_norm":
            params[name] = {"scale": jnp.ones(n[-1]), "b": jnp.zeros(n[-1])}
            stats[name] = {"mean": jnp.zeros(n[-1]), "variance": jnp.ones(n[-1])}
        if s.get("bias") == "shared":
            params[name]["b"] = jnp.zeros(s.get("filters", s.get("units")))
        elif s.get("bias") == "untied":
            unknown(layer)

    def apply(layer, p, old, key, x):
        s, kind = layer["settings"], layer["kind"]
        if kind == "conv2d":
            y = lax.conv_general_dilated(x[0], p["w"], s["stride"], amounts(layer), rhs_dilation=s["dilation"],
                                         dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=s["groups"])
            return (y + p["b"] if "b" in p else y), None
        if kind == "max_pool" and s["padding"] == "valid" and s["stride"] in ([0, 0], s["window"]):
            w = (1, *s["window"], 1)
            return lax.reduce_window(x[0], -jnp.inf, lax.max, w, w, "VALID"), None
        if kind == "dense":
            y = x[0] @ p["w"]
            return (y + p["b"] if "b" in p else y), None
        if kind == "batch_norm":
            if key is None:
                mean, variance, new = old["mean"], old["variance"], None
            else:
                axes = tuple(range(x[0].ndim - 1))
                mean, variance, m = x[0].mean(axes), x[0].var(axes), s["momentum"]
                new = {"mean": m * old["mean"] + (1 - m) * mean, "variance": m * old["variance"] + (1 - m) * variance}
            return (x[0] - mean) * (lax.rsqrt(variance + s["epsilon"]) * p["scale"]) + p["b"], new
        if kind == "dropout" and s["rescale"]:
            if key is None:
                return x[0], None
            keep = jax.random.bernoulli(key, 1 - s["rate"], x[0].shape)
            return jnp.where(keep, x[0] / (1 - s["rate"]), 0), None
        if kind == "flatten":
            return x[0].reshape(x[0].shape[0], -1), None
        if kind == "upsample" and s["method"] == "nearest":
            return x[0].repeat(s["factor"][0], 1).repeat(s["factor"][1], 2), None
        if kind == "soft_argmax":
            h, w = layer["in"][0][:2]
            q = jax.nn.softmax(x[0] / s["temperature"], (1, 2))
            xs, ys = (2 * jnp.arange(w) + 1) / w - 1, (2 * jnp.arange(h) + 1) / h - 1
            return jnp.stack([jnp.einsum("nhwc,w->nc", q, xs), jnp.einsum("nhwc,h->nc", q, ys)], -1).reshape(q.shape[0], -1), None
        if kind == "add":
            return sum(x[1:], start=x[0]), None
        unknown(layer)

    def forward(params, stats, key, image):
        values, new = {-1: image}, {}
        keys = [None] * len(task["layers"]) if key is None else jax.random.split(key, len(task["layers"]))
        for k, layer in enumerate(task["layers"]):
            name = layer["name"]
            y, changed = apply(layer, params.get(name), stats.get(name), keys[k], [values[i] for i in layer["inputs"]])
            if changed is not None:
                new[name] = changed
            activation = layer["settings"].get("activation", "linear")
            if activation == "relu":
                y = jax.nn.relu(y)
            elif activation != "linear":
                unknown(layer)
            values[k] = y
        return y, new

    return params, stats, forward


def jax_update(o, jax):
    """The first slots of a parameter tree, and a step: parameters, slots, gradients and the step's number to new ones."""
    from jax import numpy as jnp
    tree = jax.tree.map

    def slots(params):
        return [tree(jnp.zeros_like, params) for _ in range(1 if o["kind"] == "sgd" else 2)]

    def update(params, old, g, t):
        if o["clip"]:
            norm = jnp.sqrt(sum(jnp.vdot(a, a) for a in jax.tree.leaves(g)))
            factor = jnp.minimum(1, o["clip"] / (norm + 1e-6))
            g = tree(lambda a: a * factor, g)
        if o["kind"] == "sgd":
            v = tree(lambda v, a: v * o["momentum"] - a * o["rate"], old[0], g)
            if o["nesterov"]:
                return tree(lambda w, v, a: w + v * o["momentum"] - a * o["rate"], params, v, g), [v]
            return tree(jnp.add, params, v), [v]
        b1, b2 = o["beta1"], o["beta2"]
        m = tree(lambda m, a: b1 * m + (1 - b1) * a, old[0], g)
        v = tree(lambda v, a: b2 * v + (1 - b2) * a * a, old[1], g)
        c1, c2 = 1 - b1 ** t, 1 - b2 ** t

        def one(w, m, v):
            return w * (1 - o["rate"] * o["decay"]) - o["rate"] * (m / c1) / (jnp.sqrt(v / c2) + o["epsilon"])
        return tree(one, params, m, v), [m, v]

    return slots, update


def jax_peer(_, task):
    os.environ["JAX_PLATFORMS"] = task.get("device") or "cpu"
    import jax
    import numpy as np
    from jax import numpy as jnp

    params, stats, forward = jax_network(task, jax)
    count = sum(p.size for p in jax.tree.leaves(params))
    r = np.random.default_rng(2)
    x = jnp.asarray(r.random((task["batch"], *task["input"])), jnp.float32)
    if not task["train"]:
        f = jax.jit(lambda params, stats, x: forward(params, stats, None, x)[0])
        return count, lambda: f(params, stats, x).block_until_ready(), jax.__version__

    target = jnp.asarray(r.random((task["batch"], task["columns"])) * 2 - 1, jnp.float32)
    slots, update = jax_update(task["recipe"]["optimizer"], jax)
    average = task["recipe"]["average"]

    def loss(params, stats, key):
        y, new = forward(params, stats, key, x)
        d = y - target
        return (jnp.abs(d) if task["recipe"]["loss"] == "mae" else d * d).mean(), new

    def step(state):
        params, stats, kept, old, t = state
        (_, stats), g = jax.value_and_grad(loss, has_aux=True)(params, stats, jax.random.fold_in(jax.random.key(3), t))
        params, old = update(params, old, g, t)
        if average:
            kept = jax.tree.map(lambda a, w: average * a + (1 - average) * w, kept, params)
        return params, stats, kept, old, t + 1

    step = jax.jit(step, donate_argnums=0)
    state = [(params, stats, jax.tree.map(jnp.copy, params) if average else None, slots(params), jnp.asarray(1))]

    def once():
        state[0] = step(state[0])
        jax.block_until_ready(state[0])
    return count, once, jax.__version__


# ONNX Runtime

def onnx_runtime(_, task):
    import numpy as np
    import onnxruntime

    o = onnxruntime.SessionOptions()
    o.intra_op_num_threads = task["threads"]
    session = onnxruntime.InferenceSession(task["onnx"], o, providers=["CPUExecutionProvider"])
    i = session.get_inputs()[0]
    height, width, channels = task["input"]
    x = np.random.default_rng(1).integers(0, 256, (task["batch"], channels, height, width)).astype(np.float32)
    # Its network is fkzoo's own file: there is nothing to count.
    return task["parameters"], lambda: session.run(None, {i.name: x}), onnxruntime.__version__


RIVALS = {"torch": pytorch, "torch-channels-last": pytorch, "torch-compiled": pytorch, "jax": jax_peer, "onnxruntime": onnx_runtime}


def serve(rival, task, say):
    count, step, version = RIVALS[rival](rival, task)
    if count != task["parameters"]:
        raise SystemExit(f"found a network of {count} parameters, want fkzoo's {task['parameters']}")
    for _ in range(2):  # compiles
        step()
    say(version=version)
    before = time.process_time()
    for line in sys.stdin:
        idle = time.process_time() - before
        seconds, steps, start = float(line), 0, time.perf_counter()
        while steps == 0 or time.perf_counter() - start < seconds:
            step()
            steps += 1
        took = time.perf_counter() - start
        before = time.process_time()
        say(steps=steps, seconds=took, idle=idle)
    say(peak=peak())


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print isn't an answer

    def say(**what):
        print(json.dumps(what), file=answers, flush=True)

    with open(sys.argv[2]) as f:
        task = json.load(f)
    serve(sys.argv[1], task, say)


if __name__ == "__main__":
    main()
