package legacy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/format/legacy/pickle"
)

// Global is a name that a pickle uses.
type Global struct {
	Name    string `json:"name"`    // module.name
	Named   int    `json:"named"`   // times that the file names it
	Called  int    `json:"called"`  // times that Python would have called it, or made an object of it
	Meaning string `json:"meaning"` // understood, opaque (a name and no more), or dangerous
}

// The meanings of globals.
const (
	Understood = "understood"
	Opaque     = "opaque"
	Dangerous  = "dangerous"
)

// understood are the globals that this package reads, beside layers and
// nonlinearities: by library and name.
var understood = map[string][]string{
	"numpy":       {"ndarray", "dtype", "_reconstruct", "_frombuffer", "scalar", "float32", "float64", "int64", "int32"},
	"theano":      {"TensorSharedVariable", "ScalarSharedVariable", "TensorConstant", "Container", "CudaNdarraySharedVariable", "CudaNdarray_unpickler", "GpuArraySharedVariable", "GpuArray_unpickler"},
	"lasagne":     {"nesterov_momentum", "momentum", "sgd", "adam", "squared_error", "LeakyRectify"},
	"nolearn":     {"NeuralNet", "Layers", "_list", "_dict", "BatchIterator", "TrainSplit", "TrainHistory", "objective"},
	"collections": {"OrderedDict"},
	"builtins":    {"set", "frozenset", "slice", "list", "dict", "tuple", "object", "bytes", "bytearray", "int", "float", "bool", "str", "complex", "range"},
	"__builtin__": {"set", "frozenset", "slice", "list", "dict", "tuple", "object", "bytes", "bytearray", "int", "long", "float", "bool", "str", "unicode", "complex", "xrange"},
	"_codecs":     {"encode"},
	"copyreg":     {"_reconstructor", "__newobj__", "__newobj_ex__"},
	"copy_reg":    {"_reconstructor", "__newobj__", "__newobj_ex__"},
}

// dangerous are modules, or single functions, that can run commands or code,
// load further pickles, reach the network or change files. All of a module:
// "*"; a list: these names of it.
var dangerous = map[string]string{
	"os": "*", "posix": "*", "nt": "*", "subprocess": "*", "_posixsubprocess": "*", "commands": "*", "popen2": "*", "pty": "*", "shutil": "*",
	"sys": "*", "runpy": "*", "code": "*", "codeop": "*", "importlib": "*", "imp": "*", "pkgutil": "*", "zipimport": "*", "ctypes": "*", "_ctypes": "*",
	"cffi": "*", "marshal": "*", "pickle": "*", "cPickle": "*", "_pickle": "*", "dill": "*", "cloudpickle": "*", "joblib": "*", "shelve": "*", "webbrowser": "*",
	"socket": "*", "ssl": "*", "http": "*", "urllib": "*", "urllib2": "*", "requests": "*", "httplib": "*", "ftplib": "*", "smtplib": "*", "telnetlib": "*",
	"asyncio": "*", "multiprocessing": "*", "concurrent": "*", "threading": "*", "_thread": "*", "thread": "*", "signal": "*", "tempfile": "*", "pathlib": "*",
	"platform": "popen system _syscmd_ver", "timeit": "*", "bdb": "*", "pdb": "*", "cProfile": "*", "profile": "*", "trace": "*", "doctest": "*", "pydoc": "*",
	"distutils": "*", "setuptools": "*", "pip": "*", "ensurepip": "*", "venv": "*", "idlelib": "*", "lib2to3": "*", "site": "*", "sysconfig": "*", "io": "*", "_io": "*", "codecs": "open",
	"inspect": "*", "gc": "*", "weakref": "*", "types": "FunctionType CodeType LambdaType MethodType", "new": "*",
	"operator": "attrgetter methodcaller itemgetter", "_operator": "attrgetter methodcaller itemgetter", "functools": "partial reduce", "_functools": "partial reduce",
	"builtins":      "eval exec compile execfile open __import__ getattr setattr delattr globals locals vars input breakpoint type map filter apply",
	"__builtin__":   "eval exec compile execfile open file __import__ getattr setattr delattr globals locals vars input raw_input reload type map filter apply",
	"numpy.testing": "*", "numpy.distutils": "*", "numpy.f2py": "*", "theano.gof.cmodule": "*", "theano.misc.pkl_utils": "*",
}

// imported are modules that others import and so may be reached through.
var imported = []string{"os", "posix", "nt", "subprocess", "sys", "pty", "shutil", "importlib", "ctypes", "socket", "builtins", "__builtin__", "__builtins__", "runpy"}

// classify says what each global means, the dangerous ones first.
func classify(all []pickle.GlobalUse) []Global {
	out := make([]Global, len(all))
	for i, g := range all {
		out[i] = Global{g.String(), g.Named, g.Called, meaning(g)}
	}
	rank := map[string]int{Dangerous: 0, Understood: 1, Opaque: 2}
	slices.SortStableFunc(out, func(a, b Global) int {
		return cmp.Or(rank[a.Meaning]-rank[b.Meaning], strings.Compare(a.Name, b.Name))
	})
	return out
}

func meaning(g pickle.GlobalUse) string {
	path := strings.Split(g.String(), ".")
	for end := 1; end <= len(path); end++ {
		names := dangerous[strings.Join(path[:end], ".")]
		if names == "*" || end < len(path) && slices.Contains(strings.Fields(names), path[end]) {
			return Dangerous
		}
	}
	// A dotted name reaches through a module's own imports: numpy.os.system.
	if slices.ContainsFunc(path[1:len(path)-1], func(part string) bool { return slices.Contains(imported, part) }) {
		return Dangerous
	}
	library, _, _ := strings.Cut(g.Module, ".")
	if slices.Contains(understood[library], g.Name) {
		return Understood
	}
	if library == "lasagne" && lasagne.Knows(g.Name) {
		return Understood
	}
	if lasagne.KnowsFunction(g.Name) && (library == "lasagne" || library == "theano") {
		return Understood
	}
	return Opaque
}
