"""Writes the pickles of this folder, and expected.json: what their networks answer.

The classes below stand under the names of nolearn, Lasagne, Theano and NumPy,
with the attributes that those have; their methods compute what the originals
do, with loops, from Lasagne's and Theano's documentation. It needs nothing but
Python 3: python3 make.py
"""
import bz2, collections, copyreg, io, json, math, os, pickle, random, struct, sys, types

SIZE = 12  # of the images
rnd = random.Random(1)


def module(name):
    parts = name.split(".")
    for i in range(1, len(parts) + 1):
        part = ".".join(parts[:i])
        sys.modules.setdefault(part, types.ModuleType(part))
    return sys.modules[name]


def under(name, rename=None):
    """Puts a class or function under a module of that name."""
    def put(x):
        x.__module__, x.__qualname__ = name, rename or x.__name__
        x.__name__ = rename or x.__name__
        setattr(module(name), x.__name__, x)
        return x
    return put


# --- NumPy ---

@under("numpy.core.multiarray")
def _reconstruct(*a): raise NotImplementedError

@under("numpy.core.multiarray")
def scalar(*a): raise NotImplementedError

@under("numpy")
class dtype:
    def __init__(self, kind, order="<"): self.kind, self.order = kind, order
    def __reduce__(self): return (dtype, (self.kind, False, True), (3, self.order, None, None, None, -1, -1, 0))

F4, F8, F4BIG, F2 = dtype("f4"), dtype("f8"), dtype("f4", ">"), dtype("f2")
CODE = {"f4": "f", "f8": "d", "f2": "e"}

@under("numpy")
class ndarray:
    """values are nested lists; fortran: the first axis runs fastest in the file."""
    def __init__(self, values, kind=F4, fortran=False):
        code = kind.order + CODE[kind.kind]
        self.values = rounded(values, code)
        self.kind, self.fortran, self.code = kind, fortran, code
    @property
    def shape(self):
        s, v = [], self.values
        while isinstance(v, list):
            s.append(len(v)); v = v[0]
        return tuple(s)
    def __reduce__(self):
        flat = list(walk(self.values, self.shape, self.fortran))
        data = struct.pack(self.code[0] + str(len(flat)) + self.code[1], *flat)
        return (_reconstruct, (ndarray, (0,), b"b"), (1, self.shape, self.kind, self.fortran, data))

def rounded(v, code):
    if isinstance(v, list): return [rounded(x, code) for x in v]
    return struct.unpack(code, struct.pack(code, v))[0]

def walk(values, shape, fortran):
    axes = list(range(len(shape)))
    order = axes if fortran else axes[::-1]
    index = [0] * len(shape)
    for _ in range(math.prod(shape)):
        v = values
        for i in index: v = v[i]
        yield v
        for a in order:
            index[a] += 1
            if index[a] < shape[a]: break
            index[a] = 0

class Objects:
    """An array of one axis of Python objects."""
    def __init__(self, values): self.values = values
    def __reduce__(self): return (_reconstruct, (ndarray, (0,), b"b"), (1, (len(self.values),), dtype("O8", "|"), False, self.values))

class number:
    """A NumPy scalar."""
    def __init__(self, v, kind=F8): self.v, self.kind = v, kind
    def __reduce__(self): return (scalar, (self.kind, struct.pack("<" + CODE[self.kind.kind], self.v)))

def noise(*shape, scale=0.5):
    if not shape: return rnd.uniform(-scale, scale)
    return [noise(*shape[1:], scale=scale) for _ in range(shape[0])]


# --- Theano ---

@under("theano.gof.link")
class Container: pass

class Shared:
    def __init__(self, value, name=None):
        self.name, self.auto_name, self.container = name, "auto_1", Container()
        self.container.name, self.container.readonly, self.container.storage = name, False, [self.wrap(value)]
        self.value = value
    def wrap(self, value): return value
    def __getstate__(self): return {k: v for k, v in self.__dict__.items() if k != "value"}

@under("theano.tensor.sharedvar")
class TensorSharedVariable(Shared): pass

@under("theano.sandbox.cuda.type")
def CudaNdarray_unpickler(*a): raise NotImplementedError

class CudaNdarray:
    def __init__(self, a): self.a = a
    def __reduce__(self): return (CudaNdarray_unpickler, (self.a,))

@under("theano.sandbox.cuda.var")
class CudaNdarraySharedVariable(Shared):
    def wrap(self, value): return CudaNdarray(value)

@under("theano.gpuarray.type")
def GpuArray_unpickler(*a): raise NotImplementedError

class GpuArray:
    def __init__(self, a): self.a = a
    def __reduce__(self): return (GpuArray_unpickler, (self.a, None))

@under("theano.gpuarray.type")
class GpuArraySharedVariable(Shared):
    def wrap(self, value): return GpuArray(value)

@under("theano.tensor.elemwise")
class Elemwise:
    def __init__(self, op): self.scalar_op = op
@under("theano.scalar.basic")
class Add: pass
@under("theano.scalar.basic")
class Mul: pass

@under("theano.tensor.basic")
def mean(): raise NotImplementedError

# --- Lasagne ---

@under("lasagne.nonlinearities")
def rectify(x): return max(x, 0)
@under("lasagne.nonlinearities")
def linear(x): return x
@under("lasagne.nonlinearities")
def tanh(x): return math.tanh(x)
@under("lasagne.nonlinearities")
def sigmoid(x): return 1 / (1 + math.exp(-x))
@under("lasagne.nonlinearities")
def elu(x): return x if x > 0 else math.exp(x) - 1
@under("lasagne.nonlinearities")
def scaled(x): return 1.7159 * math.tanh(2 / 3 * x)
@under("lasagne.nonlinearities")
class LeakyRectify:
    def __init__(self, leakiness=0.01): self.leakiness = leakiness
    def __call__(self, x): return x if x > 0 else x * self.leakiness
@under("lasagne.updates")
def nesterov_momentum(): raise NotImplementedError
@under("lasagne.updates")
def rmsprop(): raise NotImplementedError
@under("lasagne.objectives")
def squared_error(): raise NotImplementedError

def each(x, f): return [each(v, f) for v in x] if isinstance(x, list) else f(x)

def zeros(c, h, w): return [[[0.0] * w for _ in range(h)] for _ in range(c)]

class Layer:
    variable = TensorSharedVariable
    def __init__(self, name, inputs, **settings):
        self.name = name
        if len(inputs) == 1: self.input_layer = inputs[0]
        if len(inputs) > 1: self.input_layers = list(inputs)
        self.params = collections.OrderedDict()
        self.__dict__.update(settings)
    def param(self, name, array, *tags):
        v = self.variable(array, self.name + "." + name)
        setattr(self, name, v)
        self.params[v] = set(tags)
        return v
    def activate(self, x):
        f = self.__dict__.get("nonlinearity")
        return each(x, f) if f else x

@under("lasagne.layers.input")
class InputLayer(Layer):
    def out(self, x): return x

def convolve(x, w, b, stride, pad, flip):
    """pad: [[top, bottom], [left, right]]; w: [out][in][h][w]."""
    c, h, wide = len(x), len(x[0]), len(x[0][0])
    kh, kw = len(w[0][0]), len(w[0][0][0])
    oh = (h + sum(pad[0]) - kh) // stride[0] + 1
    ow = (wide + sum(pad[1]) - kw) // stride[1] + 1
    out = zeros(len(w), oh, ow)
    for f in range(len(w)):
        for i in range(oh):
            for j in range(ow):
                s = 0.0
                for ch in range(c):
                    for a in range(kh):
                        for e in range(kw):
                            y, z = i * stride[0] + a - pad[0][0], j * stride[1] + e - pad[1][0]
                            if 0 <= y < h and 0 <= z < wide:
                                s += x[ch][y][z] * (w[f][ch][kh - 1 - a][kw - 1 - e] if flip else w[f][ch][a][e])
                if b is not None: s += b[f][i][j] if isinstance(b[f], list) else b[f]
                out[f][i][j] = s
    return out

@under("lasagne.layers.conv")
class Conv2DLayer(Layer):
    def out(self, x):
        w = self.W.value.values
        if self.__dict__.get("dimshuffle") is False:  # cuda-convnet's [in][h][w][out]
            w = [[[[w[c][y][z][f] for z in range(len(w[0][0]))] for y in range(len(w[0]))] for c in range(len(w))] for f in range(len(w[0][0][0]))]
        kh, kw = len(w[0][0]), len(w[0][0][0])
        pad = self.__dict__.get("pad", (0, 0))
        amounts = {"same": [[kh // 2] * 2, [kw // 2] * 2], "full": [[kh - 1] * 2, [kw - 1] * 2]}.get(pad)
        if amounts is None: amounts = [[pad[0]] * 2, [pad[1]] * 2]
        b = None if self.b is None else self.b.value.values
        return self.activate(convolve(x, w, b, self.stride, amounts, self.__dict__.get("flip_filters", type(self).__name__ == "Conv2DLayer")))

@under("lasagne.layers.dnn")
class Conv2DDNNLayer(Conv2DLayer): pass
@under("lasagne.layers.corrmm")
class Conv2DMMLayer(Conv2DLayer): pass
@under("lasagne.layers.cuda_convnet")
class Conv2DCCLayer(Conv2DLayer): pass
@under("lasagne.layers.cuda_convnet")
class ShuffleBC01ToC01BLayer(InputLayer): pass
@under("lasagne.layers.cuda_convnet")
class ShuffleC01BToBC01Layer(InputLayer): pass

@under("lasagne.layers.dense")
class NINLayer(Layer):
    def out(self, x):
        w = self.W.value.values
        return self.activate(convolve(x, [[[[w[c][f]]] for c in range(len(w))] for f in range(len(w[0]))], self.b.value.values, (1, 1), [[0, 0], [0, 0]], False))

@under("lasagne.layers.pool")
class MaxPool2DLayer(Layer):
    def out(self, x):
        (wh, ww), (sh, sw), (ph, pw) = self.pool_size, self.stride, self.pad
        h, w = len(x[0]), len(x[0][0])
        def size(n, k, s, p):
            n += 2 * p
            if self.ignore_border: return (n - k) // s + 1
            return (n - 1) // s + 1 if s >= k else max(0, (n - 1 - k + s) // s) + 1
        oh, ow = size(h, wh, sh, ph), size(w, ww, sw, pw)
        out = zeros(len(x), oh, ow)
        for c in range(len(x)):
            for i in range(oh):
                for j in range(ow):
                    seen = [x[c][y][z] for y in range(i * sh - ph, i * sh - ph + wh) for z in range(j * sw - pw, j * sw - pw + ww) if 0 <= y < h and 0 <= z < w]
                    if self.mode == "max": out[c][i][j] = max(seen)
                    elif self.mode == "average_exc_pad" or not self.ignore_border: out[c][i][j] = sum(seen) / len(seen)
                    else: out[c][i][j] = sum(seen) / (wh * ww)
        return out
@under("lasagne.layers.pool")
class Pool2DLayer(MaxPool2DLayer): pass

@under("lasagne.layers.pool")
class GlobalPoolLayer(Layer):
    def out(self, x): return [sum(sum(r) for r in c) / (len(c) * len(c[0])) for c in x]

@under("lasagne.layers.pool")
class Upscale2DLayer(Layer):
    def out(self, x):
        f = self.scale_factor
        return [[[c[i // f[0]][j // f[1]] for j in range(len(c[0]) * f[1])] for i in range(len(c) * f[0])] for c in x]

def flat(x): return [v for part in x for v in flat(part)] if isinstance(x, list) else [x]

@under("lasagne.layers.dense")
class DenseLayer(Layer):
    def out(self, x):
        x, w = flat(x), self.W.value.values
        y = [sum(x[i] * w[i][u] for i in range(len(x))) for u in range(len(w[0]))]
        if self.b is not None: y = [a + b for a, b in zip(y, self.b.value.values)]
        return self.activate(y)

@under("lasagne.layers.noise")
class DropoutLayer(InputLayer): pass
@under("lasagne.layers.noise")
class GaussianNoiseLayer(InputLayer): pass

@under("lasagne.layers.special")
class NonlinearityLayer(Layer):
    def out(self, x): return self.activate(x)

@under("lasagne.layers.shape")
class FlattenLayer(Layer):
    def out(self, x): return flat(x)

@under("lasagne.layers.shape")
class ReshapeLayer(Layer):
    def out(self, x):
        x, (_, c, h, w) = flat(x), self.shape
        return [[[x[(k * h + i) * w + j] for j in range(w)] for i in range(h)] for k in range(c)]

@under("lasagne.layers.normalization")
class BatchNormLayer(Layer):
    def out(self, x):
        m, s = self.mean.value.values, self.inv_std.value.values
        g = [1.0] * len(m) if self.gamma is None else self.gamma.value.values
        b = [0.0] * len(m) if self.beta is None else self.beta.value.values
        return [each(x[c], lambda v: (v - m[c]) * s[c] * g[c] + b[c]) for c in range(len(x))]
@under("lasagne.layers.normalization")
class LocalResponseNormalization2DLayer(InputLayer): pass

def together(xs, f): return [together(list(v), f) for v in zip(*xs)] if isinstance(xs[0], list) else f(xs)

@under("lasagne.layers.merge")
class ElemwiseSumLayer(Layer):
    def out(self, *xs): return together(list(xs), sum)
@under("lasagne.layers.merge")
class ElemwiseMergeLayer(Layer):
    def out(self, *xs): return together(list(xs), math.prod)
@under("lasagne.layers.merge")
class ConcatLayer(Layer):
    def out(self, *xs): return [v for x in xs for v in x]

# --- nolearn, and what its users wrote ---

@under("nolearn.lasagne.base")
class _list(list): pass
@under("nolearn.lasagne.base")
class Layers(collections.OrderedDict): pass
@under("nolearn.lasagne.base")
class BatchIterator: pass
@under("nolearn.lasagne.base")
class TrainSplit: pass
@under("nolearn.lasagne.base")
class NeuralNet: pass
@under("my.script")
class FlipBatchIterator: pass
@under("my.script")
class AdjustVariable: pass
@under("my.script")
class EarlyStopping: pass
@under("my.script")
def own(x): return x


class Net:
    """Builds a NeuralNet layer by layer."""
    def __init__(self, variable=TensorSharedVariable):
        self.layers, self.last, self.variable = Layers(), None, variable
    def add(self, cls, name, *inputs, **settings):
        if not inputs and self.last is not None: inputs = (self.last,)
        l = cls(name, inputs, **settings)
        l.variable = self.variable
        self.layers[name] = self.last = l
        return l
    def input(self, *shape): return self.add(InputLayer, "input", shape=(None,) + shape)
    def conv(self, name, cin, cout, k, cls=Conv2DLayer, bias=True, nonlinearity=rectify, stride=(1, 1), kind=F4, **settings):
        l = self.add(cls, name, num_filters=cout, filter_size=k, stride=stride, nonlinearity=nonlinearity, b=None, **settings)
        shape = (cin, k[0], k[1], cout) if settings.get("dimshuffle") is False else (cout, cin, k[0], k[1])
        l.param("W", ndarray(noise(*shape), kind), "trainable", "regularizable")
        if bias: l.param("b", ndarray(noise(*(bias if isinstance(bias, tuple) else (cout,)))), "trainable")
        return l
    def dense(self, name, n, units, cls=DenseLayer, bias=True, nonlinearity=rectify, **array):
        l = self.add(cls, name, num_units=units, nonlinearity=nonlinearity, b=None)
        l.param("W", ndarray(noise(n, units), **array), "trainable", "regularizable")
        if bias: l.param("b", ndarray(noise(units)), "trainable")
        return l
    def pool(self, name, size, stride=None, cls=MaxPool2DLayer, pad=(0, 0), ignore_border=True, mode="max"):
        return self.add(cls, name, pool_size=size, stride=stride or size, pad=pad, ignore_border=ignore_border, mode=mode)
    def norm(self, name, n, affine=True):
        l = self.add(BatchNormLayer, name, axes=(0, 2, 3) , epsilon=1e-4, alpha=0.1, beta=None, gamma=None)
        if affine:
            l.param("beta", ndarray(noise(n))); l.param("gamma", ndarray([1 + v for v in noise(n)]))
        l.param("mean", ndarray(noise(n))); l.param("inv_std", ndarray([1.5 + v for v in noise(n)]))
        return l
    def net(self, flips=None, **state):
        n = NeuralNet()
        adjust = []
        for name, start, stop in (("update_learning_rate", 0.03, 0.0001), ("update_momentum", 0.9, 0.999)):
            a = AdjustVariable()
            a.name, a.start, a.stop = name, start, stop
            a.ls = ndarray([start + (stop - start) * i / 4 for i in range(5)], F8)
            adjust.append(a)
        stop = EarlyStopping()
        stop.patience, stop.best_valid, stop.best_valid_epoch, stop.best_weights = 7, number(0.1), 2, None
        iterator, split = FlipBatchIterator(), TrainSplit()
        iterator.batch_size, split.eval_size = 64, 0.25
        if flips is not None: iterator.flip_indices = flips
        n.__dict__.update(
            layers=_list([(name, type(l)) for name, l in self.layers.items()]), layers_=self.layers, _output_layers=[self.last],
            update=nesterov_momentum, objective_loss_function=squared_error, max_epochs=5, regression=True,
            batch_iterator_train=iterator, train_split=split, on_epoch_finished=adjust + [stop],
            update_learning_rate=TensorSharedVariable(number(0.0001, F4)), update_momentum=TensorSharedVariable(number(0.999, F4)),
            train_history_=[dict(epoch=i + 1, train_loss=number(0.5 / (i + 1)), valid_loss=number(0.6 / (i + 1) if i < 2 else 0.4), dur=0.25) for i in range(3)],
        )
        n.__dict__.update(state)
        n.__dict__ = {k: v for k, v in n.__dict__.items() if v is not Net}
        for l in self.layers.values(): l.__dict__.pop("variable", None)
        return n


def answer(output, image):
    done = {}
    def value(l):
        if id(l) not in done:
            inputs = getattr(l, "input_layers", None) or ([l.input_layer] if hasattr(l, "input_layer") else [])
            done[id(l)] = l.out(*[value(i) for i in inputs]) if inputs else (flat(image) if len(l.shape) == 2 else image)
        return done[id(l)]
    return value(output)


IMAGES = [[[[rnd.randrange(256) for _ in range(SIZE)] for _ in range(SIZE)]] for _ in range(3)]
POINTS = ("left_eye_center_x", "left_eye_center_y", "right_eye_center_x", "right_eye_center_y")
EXPECTED = {"images": [flat(i) for i in IMAGES], "answers": {}}


def expect(name, *nets):
    rows = []
    for image in IMAGES:
        x = each(image, lambda v: v / 255)
        rows.append([y for n in nets for y in answer(n._output_layers[0], x)])
    EXPECTED["answers"][name] = [[v * SIZE / 2 + SIZE / 2 for v in row] for row in rows]


class Python2(pickle._Pickler):
    """Writes texts and bytes as Python 2's pickle modules write a str."""
    dispatch = dict(pickle._Pickler.dispatch)
    def save_text(self, s):
        b = s.encode("latin-1") if isinstance(s, str) else bytes(s)
        if self.proto == 0:
            quoted = "".join(chr(c) if 32 <= c < 127 and c not in (39, 92) else {39: "\\'", 92: "\\\\", 10: "\\n", 13: "\\r", 9: "\\t"}.get(c, "\\x%02x" % c) for c in b)
            self.write(b"S'" + quoted.encode() + b"'\n")
        elif len(b) < 256: self.write(b"U" + bytes([len(b)]) + b)
        else: self.write(b"T" + struct.pack("<i", len(b)) + b)
        self.memoize(s)
    dispatch[str] = dispatch[bytes] = save_text

class Unicode(str):
    """A unicode of Python 2."""

def save_unicode(self, s):
    if self.proto == 0: self.write(b"V" + s.replace("\\", "\\u005c").replace("\n", "\\u000a").encode("raw-unicode-escape") + b"\n")
    else: self.write(b"X" + struct.pack("<i", len(s.encode())) + s.encode())
    self.memoize(s)
Python2.dispatch[Unicode] = save_unicode

def pickled(value, protocol, pickler=pickle._Pickler):
    out = io.BytesIO()
    pickler(out, protocol).dump(value)
    return out.getvalue()

def write(name, value, protocol, pickler=pickle._Pickler):
    with open(name + ".pickle", "wb") as f: f.write(pickled(value, protocol, pickler))


def plain(variable=TensorSharedVariable):
    """The report's kind of network: convolutions, pools, dropout, dense layers."""
    n = Net(variable)
    n.input(1, SIZE, SIZE)
    n.conv("conv1", 1, 3, (3, 3), flip_filters=True, pad=(0, 0), untie_biases=False)       # 10x10
    n.pool("pool1", (2, 2))                                                                # 5x5
    n.add(DropoutLayer, "dropout1", p=0.1, rescale=True)
    n.conv("conv2", 3, 4, (2, 3), nonlinearity=tanh, flip_filters=True, pad=(1, 0))        # 6x3
    n.dense("hidden3", 4 * 6 * 3, 5)
    n.add(DropoutLayer, "dropout3", p=0.5, rescale=False)
    n.dense("output", 5, 4, nonlinearity=None)
    return n

def branches():
    """What else Lasagne has: branches, norms, other pools, other libraries' convolutions."""
    n = Net()
    top = n.input(1, SIZE, SIZE)
    n.conv("mm", 1, 2, (3, 3), Conv2DMMLayer, bias=(2, 6, 6), stride=(2, 2), pad="same", flip_filters=False, untie_biases=True, nonlinearity=elu)  # 6x6
    left = n.norm("norm", 2)
    n.add(ShuffleBC01ToC01BLayer, "shuffle", top)
    n.conv("cc", 1, 2, (3, 3), Conv2DCCLayer, stride=(2, 2), pad=(1, 1), dimshuffle=False, nonlinearity=LeakyRectify(0.2), kind=F8)            # 6x6
    right = n.add(ShuffleC01BToBC01Layer, "unshuffle")
    both = n.add(ElemwiseSumLayer, "sum", left, right, coeffs=1)
    n.conv("dnn", 2, 3, (3, 3), Conv2DDNNLayer, bias=False, pad="full", nonlinearity=LeakyRectify(), kind=F4BIG)                                # 8x8
    n.pool("partial", (3, 3), (2, 2), ignore_border=False)                                                                                     # 4x4
    one = n.pool("mean1", (3, 3), (1, 1), Pool2DLayer, pad=(1, 1), mode="average_inc_pad")                                                     # 4x4
    two = n.pool("mean2", (3, 3), (1, 1), Pool2DLayer, pad=(1, 1), mode="average_exc_pad")
    one = n.add(ElemwiseMergeLayer, "product", one, two, merge_function=Elemwise(Mul()))
    last = n.pool("mean3", (3, 3), (2, 2), Pool2DLayer, ignore_border=False, mode="average_exc_pad")                                          # 2x2: 4 -> 2
    up = n.add(Upscale2DLayer, "up", last, scale_factor=(2, 2), mode="repeat")                                                                # 4x4
    n.add(ConcatLayer, "concat", up, two, axis=1)                                                                                             # 6 channels
    n.add(NINLayer, "nin", nonlinearity=sigmoid, b=None, num_units=3)
    n.last.param("W", ndarray(noise(6, 3), fortran=True)); n.last.param("b", ndarray(noise(3)))
    n.add(GaussianNoiseLayer, "noise", sigma=0.1)
    nin = n.last
    pooled = n.add(GlobalPoolLayer, "global", pool_function=mean)                                                                             # 3
    flattened = n.add(FlattenLayer, "flat", nin, outdim=2)                                                                                    # 48
    first = n.norm("norm2", 48, affine=False)
    n.last.axes = (0,)
    n.add(ConcatLayer, "side by side", first, pooled, axis=1)                                                                                 # 51
    n.dense("hidden", 51, 5, bias=False, fortran=True, nonlinearity=None)
    n.add(NonlinearityLayer, "bend", nonlinearity=tanh)
    n.dense("output", 5, 4, nonlinearity=linear, kind=F2)
    return n

def small():
    """A dense layer or two, for what is around a network."""
    n = Net()
    n.input(1, SIZE, SIZE)
    n.pool("pool", (4, 4))
    n.dense("hidden", 9, 5)
    n.dense("output", 5, 4, nonlinearity=None)
    return n

def settings():
    """Settings that the others don't have."""
    n = Net()
    n.input(1, SIZE, SIZE)
    n.conv("correlated", 1, 3, (3, 2), flip_filters=False, bias=False, pad=(0, 0))                                                # 10x11
    n.pool("partial", (3, 3), (2, 2), Pool2DLayer, ignore_border=False, mode="average_inc_pad")                                    # 5x5
    n.add(DropoutLayer, "dropout", p=number(0.25, F4), rescale=False, shared_axes=(2, 3))
    n.conv("strided", 3, 4, (2, 2), stride=(2, 1), pad=(0, 0), flip_filters=True, num_groups=1, untie_biases=True, bias=(4, 2, 4)) # 2x4
    n.add(NINLayer, "nin", nonlinearity=None, b=None, num_units=2, untie_biases=True)
    n.last.param("W", ndarray(noise(4, 2))); n.last.param("b", ndarray(noise(2, 2, 4)))
    n.pool("overlap", (2, 2), (1, 1), Pool2DLayer, pad=(1, 0), mode="average_inc_pad")                                             # 3x3
    n.norm("norm", 2)
    n.dense("hidden", 2 * 3 * 3, 6, bias=False, kind=F4BIG, fortran=True, nonlinearity=tanh)
    first = n.dense("twice1", 6, 6, kind=F8, nonlinearity=sigmoid)
    second = n.add(DenseLayer, "twice2", num_units=6, nonlinearity=rectify)
    second.W, second.b, second.params = first.W, first.b, collections.OrderedDict(first.params)
    n.dense("output", 6, 4, nonlinearity=None, kind=F2)
    return n

def pixels():
    """An input of pixels in a row, as the report's net1 has it, and a reshape."""
    n = Net()
    n.input(SIZE * SIZE)
    n.add(ReshapeLayer, "reshape", shape=(-1, 1, SIZE, SIZE))
    n.conv("conv", 1, 2, (3, 3), flip_filters=True, pad="full")
    n.dense("output", 2 * 14 * 14, 4, nonlinearity=None)
    return n


def main():
    for protocol in range(6):
        net = plain().net()
        name = "plain.p%d" % protocol
        expect(name, net)
        write(name, {POINTS: net}, protocol)
    for protocol in (0, 1, 2):
        net = plain().net()
        name = "plain.python2.p%d" % protocol
        expect(name, net)
        write(name, {POINTS: net}, protocol, Python2)
    for kind, variable, protocol, pickler in (("cuda", CudaNdarraySharedVariable, 2, Python2), ("gpuarray", GpuArraySharedVariable, 4, pickle._Pickler)):
        net = plain(variable).net()
        expect(kind, net)
        write(kind, {POINTS: net}, protocol, pickler)
    for name, make in (("branches", branches), ("pixels", pixels)):
        net = make().net(flips=[(0, 2), (1, 3)])
        expect(name, net)
        write(name, {POINTS: net}, 4)
    # Two specialists, the second with the report's kind of fault: columns in two pairs.
    nets = [plain().net(flips=[(0, 2), (1, 3)]), plain().net(flips=[(0, 2), (0, 2), (1, 3)])]
    expect("specialists", *nets)
    write("specialists", collections.OrderedDict([(POINTS, nets[0]), (tuple("mouth_" + p for p in POINTS), nets[1])]), 2)
    # The output layer alone, as people pickled a network of Lasagne without nolearn.
    n = plain()
    net = n.net()
    expect("bare", net)
    write("bare", [(POINTS, n.last)], 3)
    # Lists of parameters, of the network of tests' architecture «tiny».
    params = [(l.name, [v.value for v in l.params]) for l in n.layers.values()]
    write("list", [v for _, vs in params for v in vs], 2)
    write("params", collections.OrderedDict(params), 2)
    EXPECTED["answers"]["list"] = EXPECTED["answers"]["params"] = EXPECTED["answers"]["bare"]
    # What can't be said, by name.
    for name, add in (
        ("lrn", lambda n: n.add(LocalResponseNormalization2DLayer, "lrn", alpha=1e-4, k=2, beta=0.75, n=5)),
        ("own-nonlinearity", lambda n: n.add(NonlinearityLayer, "bend", nonlinearity=own)),
        ("scaled-tanh", lambda n: n.add(NonlinearityLayer, "bend", nonlinearity=scaled)),
    ):
        n = Net()
        n.input(1, SIZE, SIZE); add(n); n.dense("output", SIZE * SIZE, 4, nonlinearity=None)
        write(name, {POINTS: n.net()}, 2)
    n = Net()
    n.input(1, SIZE, SIZE); n.dense("output", 7, 4, nonlinearity=None)
    write("wrong-size", {POINTS: n.net()}, 2)
    net = plain().net()
    del net.layers_, net._output_layers
    write("untrained", net, 2)
    # A pickle that would run a command when Python reads it.
    class Bomb:
        def __reduce__(self): return (os.system, ("touch owned",))
    net = plain().net(verbose=Bomb())
    expect("bomb", net)
    write("bomb", {POINTS: net}, 2)
    # The processor's and the graphics card's arrays as text, and unicode names, of Python 2.
    for kind, variable in (("cuda.p0", CudaNdarraySharedVariable), ("gpuarray.p0", GpuArraySharedVariable)):
        n = plain(variable)
        for l in n.layers.values(): l.name = Unicode(l.name)
        net = n.net()
        expect(kind, net)
        write(kind, {tuple(Unicode(p) for p in POINTS): net}, 0, Python2)
    net = settings().net()
    expect("settings", net)
    write("settings", {POINTS: net}, 2)
    # NumPy 2 has its functions elsewhere.
    _reconstruct.__module__ = scalar.__module__ = "numpy._core.multiarray"
    for f in (_reconstruct, scalar): setattr(module("numpy._core.multiarray"), f.__name__, f)
    net = plain().net()
    expect("numpy2", net)
    write("numpy2", {POINTS: net}, 5)
    _reconstruct.__module__ = scalar.__module__ = "numpy.core.multiarray"
    # Ways to keep a network.
    def kept(name, keep, protocol=2):
        n = small()
        net = n.net()
        net.layers = [(type(l), dict(name=name)) for name, l in n.layers.items()]
        value = keep(n, net)
        expect(name, net)
        write(name, value, protocol)
    def with_layers(net, layers):
        net.layers_ = layers
        return {POINTS: net}
    kept("layers-list", lambda n, net: with_layers(net, list(n.layers.values())))
    kept("layers-dict", lambda n, net: with_layers(net, dict(n.layers)))
    kept("layers-tuples", lambda n, net: with_layers(net, list(n.layers.items())))
    kept("all-layers", lambda n, net: [(POINTS, l) for l in n.layers.values()])
    kept("with-others", lambda n, net: {"columns": list(POINTS), "epoch": 3, POINTS: net})
    kept("object-array", lambda n, net: Objects([(POINTS, net)]))
    # Ways to keep a list of parameters.
    (w1, b1), (w2, b2) = [(ndarray(noise(3, 2)), ndarray(noise(2))), (ndarray(noise(2, 4)), ndarray(noise(4)))]
    for name, value in (
        ("list-pairs", [[w1, b1], [w2, b2]]), ("list-tuples", [(w1, b1), (w2, b2)]), ("list-in-dict", {"params": [w1, b1, w2, b2, b2]}),
        ("list-and-more", {"epoch": 3, "values": [w1, b1, w2, b2], "names": list(POINTS)}), ("list-objects", Objects([w1, b1, w2, b2])),
        ("list-shared", [TensorSharedVariable(a, "W") for a in (w1, b1)] + [CudaNdarraySharedVariable(a, "b") for a in (w2, b2)]),
        ("list-dict", {"two": [w2, b2], "one": [w1, b1]}), ("list-named", {"two.b": b2, "one.W": w1, "two.W": w2, "one.b": b1}),
    ): write(name, value, 2)
    # As deep as no stack is: objects in one another, in front of the network.
    deep, net = 100_000, small().net()
    expect("deep", net)
    chain = b"cmy.script\nEarlyStopping\nq\xff" + b"h\xff)\x81" * deep + b"b" * (deep - 1)
    whole = pickled({POINTS: net}, 2)
    with open("deep.pickle.bz2", "wb") as f: f.write(bz2.compress(whole[:2] + chain + b"0" + b"]" * deep + b"a" * (deep - 1) + b"0" + whole[2:]))
    # Four answers without names.
    n = Net()
    n.input(1, SIZE, SIZE); n.dense("output", SIZE * SIZE, 4, nonlinearity=None)
    write("unnamed", n.net(), 2)
    # A training that diverged.
    n = Net()
    n.input(1, SIZE, SIZE); n.dense("output", SIZE * SIZE, 4, nonlinearity=None)
    w, b = n.last.W.value, n.last.b.value
    w.values[3][1], w.values[3][2], w.values[100][0] = math.nan, math.inf, -math.inf
    b.values[2] = math.nan
    write("diverged", {POINTS: n.net()}, 2)
    # As nolearn wrote it until February 2015: no layers_, and layers without names.
    for name, n in (("no-layers", plain()), ("no-layers-branches", branches())):
        net = n.net()
        expect(name, net)
        net._output_layer = n.last
        del net.layers_, net._output_layers
        for l in n.layers.values(): del l.name
        write(name, {POINTS: net}, 2)
    # As it is passed on, and the standard library of Go can't write.
    with open("plain.p0.pickle", "rb") as f: packed = bz2.compress(f.read())
    with open("plain.p0.pickle.bz2", "wb") as f: f.write(packed)
    with open("expected.json", "w") as f: json.dump(EXPECTED, f)


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    if os.environ.get("PYTHONHASHSEED") != "0":  # else sets are written in another order each time
        os.execve(sys.executable, [sys.executable, os.path.basename(__file__)], dict(os.environ, PYTHONHASHSEED="0"))
    main()
