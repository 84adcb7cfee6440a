package legacy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format/legacy/pickle"
	"github.com/fkzoo/fkzoo/format/legacy/python"
)

func TestMeaning(t *testing.T) {
	tests := map[string]string{
		"os.system": Dangerous, "posix.system": Dangerous, "nt.system": Dangerous, "subprocess.Popen": Dangerous, "builtins.eval": Dangerous,
		"__builtin__.execfile": Dangerous, "builtins.getattr": Dangerous, "numpy.os.system": Dangerous, "theano.compile.sys.exit": Dangerous,
		"numpy.testing._private.utils.runstring": Dangerous, "runpy.run_path": Dangerous, "webbrowser.open": Dangerous, "functools.partial": Dangerous,
		"builtins.set": Understood, "numpy.core.multiarray._reconstruct": Understood, "numpy._core.multiarray._reconstruct": Understood,
		"lasagne.layers.dnn.Conv2DDNNLayer": Understood, "nolearn.lasagne.base.NeuralNet": Understood, "lasagne.nonlinearities.rectify": Understood,
		"theano.compile.io.In": Opaque, "numpy.random._pickle.__randomstate_ctor": Opaque, "__main__.FlipBatchIterator": Opaque, "ostrich.system": Opaque,
		"__main__.set": Opaque,
	}
	for name, want := range tests {
		at := strings.LastIndex(name, ".")
		if got := meaning(pickle.GlobalUse{Module: name[:at], Name: name[at+1:]}); got != want {
			t.Errorf("%s: found %s, want %s", name, got, want)
		}
	}
	// A dotted name of protocol 4.
	if got := meaning(pickle.GlobalUse{Module: "numpy", Name: "os.system"}); got != Dangerous {
		t.Errorf("numpy, os.system: found %s, want %s", got, Dangerous)
	}
}

func TestNothing(t *testing.T) {
	for name, data := range map[string]string{"None": "N.", "a list of numbers": "](K\x01K\x02e.", "a list of itself": "]\x94h\x00a.", "an empty dict": "}."} {
		if _, err := Read([]byte(data)); !errors.Is(err, ErrNothing) {
			t.Errorf("%s: found %v, want %v", name, err, ErrNothing)
		}
	}
}

// Of a net without layers_ the layers have the names that it was declared with, where they are told apart by their order.
func TestNamesOfDeclaredLayers(t *testing.T) {
	for name, want := range map[string]string{
		"no-layers":          "input conv1 pool1 dropout1 conv2 hidden3 dropout3 output",
		"no-layers-branches": "input0 conv2dmm1 batchnorm2",
	} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".pickle"))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Read(data)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, l := range f.Networks[0].Layers {
			names = append(names, l.Name)
		}
		if got := strings.Join(names, " "); !strings.HasPrefix(got, want) {
			t.Errorf("%s: found the layers %s, want %s", name, got, want)
		}
	}
}

// However a list of parameters is kept, it gives its arrays, by layer where the file tells it.
func TestLists(t *testing.T) {
	for name, want := range map[string]string{
		"pairs": "[3 2] [2] | [2 4] [4]", "tuples": "[3 2] [2] | [2 4] [4]", "in-dict": "[3 2] [2] [2 4] [4] [4]", "and-more": "values: [3 2] [2] [2 4] [4]",
		"objects": "[3 2] [2] [2 4] [4]", "shared": "[3 2] [2] [2 4] [4]", "dict": "two[2 4] two[4] one[3 2] one[2]",
		"named": "two.b[4] one.W[3 2] two.W[2 4] one.b[2]",
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "list-"+name+".pickle"))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Read(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var lists []string
		for _, l := range f.Lists {
			var all []string
			for _, p := range l.Params {
				all = append(all, fmt.Sprint(p.Layer, p.Array.Shape))
			}
			text := strings.Join(all, " ")
			if l.Name != "" {
				text = l.Name + ": " + text
			}
			lists = append(lists, text)
		}
		if got := strings.Join(lists, " | "); got != want {
			t.Errorf("%s: found %s, want %s", name, got, want)
		}
	}
}

// What a file names again and again for a byte or two each time costs no more than the file's size allows: each of
// these would be gigabytes, or hours.
func TestReferences(t *testing.T) {
	const (
		input = "clasagne.layers.input\nInputLayer\n)\x81q\x01}(X\x05\x00\x00\x00shape(NK\x01K\x60K\x60tub0"
		net   = "cnolearn.lasagne.base\nNeuralNet\n)\x81}(X\x07\x00\x00\x00layers_}X\x01\x00\x00\x00ih\x01s"
		array = "cnumpy.core.multiarray\n_reconstruct\n)R(K\x01)cnumpy\ndtype\nX\x02\x00\x00\x00f4\x85R\x89C\x04\x00\x00\x00\x00tbq\x020"
	)
	many := func(text string) string { return strings.Repeat(text, 100_000) }
	for name, data := range map[string]string{
		"lists":     array + "](" + strings.Repeat("h\x02", 4000) + "eq\x030](" + many("h\x03") + "e.",
		"epochs":    input + "}q\x030" + net + "X\x0e\x00\x00\x00train_history_](" + many("h\x03") + "eub.",
		"callbacks": input + "cown\ndo\nq\x030" + net + "X\x11\x00\x00\x00on_epoch_finished](" + many("h\x03") + "eub.",
		"networks":  input + "](" + strings.Repeat("}", 200) + "eq\x030" + net + "X\x0e\x00\x00\x00train_history_h\x03ubq\x040](" + strings.Repeat("h\x04", 30) + "e.",
	} {
		_, err := Read([]byte(data))
		if name == "networks" { // few, and few epochs: as a file may say it
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if !errors.Is(err, python.ErrReferences) {
			t.Errorf("%s: found %v, want %v", name, err, python.ErrReferences)
		}
	}
}

// FuzzRead: no bytes may panic, nor be read as layers without what they need.
func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.pickle")
	if err != nil || len(paths) == 0 {
		f.Fatalf("found no pickle: %v", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(data)
		if err != nil {
			return
		}
		if len(file.Networks)+len(file.Lists) == 0 {
			t.Fatal("found nothing and no error")
		}
		for _, n := range file.Networks {
			for i, l := range n.Layers {
				if l.Op == nil || l.Name == "" {
					t.Fatalf("layer %d: found %+v", i, l)
				}
				for _, in := range l.Inputs {
					if in < 0 || in >= i {
						t.Fatalf("layer %d: found the input %d", i, in)
					}
				}
			}
		}
		for _, l := range file.Lists {
			for _, p := range l.Params {
				p.Array.Float32()
			}
		}
	})
}
