"""The other side of legacy_test.go: makes a net11 of full size as nolearn pickled one, and loads it as Python does.

Classes stand under the legacy names, with as little in them as loading needs. A line in is an operation, a path and how
often; a line out is wall and processor seconds of one time and what came of it, as JSON.
"""

import collections
import gc
import json
import pickle
import sys
import time
import types

import numpy as np


def under(module, name, base=object):
    parts = module.split(".")
    for i in range(len(parts)):
        part = ".".join(parts[: i + 1])
        sys.modules.setdefault(part, types.ModuleType(part))
    cls = type(name, (base,), {"__module__": module})
    setattr(sys.modules[module], name, cls)
    return cls


Shared = under("theano.tensor.sharedvar", "TensorSharedVariable")
Container = under("theano.gof.link", "Container")
Apply = under("theano.gof.graph", "Apply")
Input = under("lasagne.layers.input", "InputLayer")
Conv = under("lasagne.layers.conv", "Conv2DLayer")
Pool = under("lasagne.layers.pool", "MaxPool2DLayer")
Dropout = under("lasagne.layers.noise", "DropoutLayer")
Dense = under("lasagne.layers.dense", "DenseLayer")
rectify = under("lasagne.nonlinearities", "rectify")
Layers = under("nolearn.lasagne.base", "Layers", collections.OrderedDict)
List = under("nolearn.lasagne.base", "_list", list)
NeuralNet = under("nolearn.lasagne.base", "NeuralNet")


def shared(array, name):
    v, c = Shared(), Container()
    c.name, c.storage, c.readonly = name, [array], False
    v.name, v.container, v.auto_name = name, c, "auto_1"
    return v


def net11():
    rnd = np.random.default_rng(1)
    layers, learned = Layers(), []

    def add(cls, name, **settings):
        l = cls()
        l.__dict__.update(settings, name=name, params=collections.OrderedDict())
        if layers:
            l.input_layer = next(reversed(layers.values()))
        layers[name] = l
        return l

    def param(l, name, *shape):
        v = shared((rnd.random(shape, np.float32) - 0.5) / 10, l.name + "." + name)
        setattr(l, name, v)
        l.params[v] = {"trainable"}
        learned.append(v)

    add(Input, "input", shape=(None, 1, 96, 96))
    maps = 1
    for block, filters in enumerate((32, 64, 128), 1):
        for i in range(1, 4):
            l = add(Conv, f"conv{block}_{i}", num_filters=filters, filter_size=(3, 3), stride=(1, 1), pad=(1, 1), flip_filters=True, nonlinearity=rectify)
            param(l, "W", filters, maps, 3, 3)
            param(l, "b", filters)
            maps = filters
        add(Pool, f"pool{block}", pool_size=(2, 2), stride=(2, 2), pad=(0, 0), ignore_border=True, mode="max")
        add(Dropout, f"dropout{block}", p=block / 10, rescale=True)
    inputs = 12 * 12 * 128
    for name, units in (("hidden4", 1000), ("hidden5", 1000), ("output", 30)):
        l = add(Dense, name, num_units=units, nonlinearity=None if name == "output" else rectify)
        param(l, "W", inputs, units)
        param(l, "b", units)
        if name == "hidden4":
            add(Dropout, "dropout4", p=0.5, rescale=True)
        inputs = units
    net = NeuralNet()
    net.layers = List((name, type(l)) for name, l in layers.items())
    net.layers_, net._output_layers = layers, [layers["output"]]
    net.train_history_ = [{"epoch": e + 1, "train_loss": np.float64(1 / (e + 1)), "valid_loss": np.float64(1 / (e + 1)), "dur": 15.0} for e in range(10_000)]
    # The compiled functions: the optimizer's velocities, and a graph of some hundred thousand objects.
    nodes = []
    for i in range(30_000):
        a = Apply()
        a.inputs, a.outputs, a.tag = nodes[-2:], [], {"trace": [("gen.py", i, "f")]}
        nodes.append(a)
    net.train_iter_ = (nodes, [shared(np.zeros_like(v.container.storage[0]), "velocity") for v in learned])
    return net


def load(path):
    with open(path, "rb") as f:
        return len(pickle.load(f).layers_)


def make(path, protocol):
    with open(path, "wb") as f:
        pickle.dump(net11(), f, protocol)
    return 1


todo = {"load": load, "make 2": lambda path: make(path, 2), "make 4": lambda path: make(path, 4)}
sys.setrecursionlimit(1_000_000)
for line in sys.stdin:
    what, path, times = line.rstrip("\n").split("\t")
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(int(times)):
        came = todo[what](path)
    n = int(times)
    print(json.dumps([(time.perf_counter() - wall) / n, (time.process_time() - cpu) / n, came]), flush=True)
