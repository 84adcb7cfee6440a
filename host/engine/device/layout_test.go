package device_test

import (
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
)

// Names, roles and places of a state's tensors.
func TestLayout(t *testing.T) {
	layers := `{"name": "n", "kind": "batch_norm"}, {"name": "f", "kind": "flatten"}, {"name": "y", "kind": "dense", "units": "columns"}`
	weights := []string{"net/n/scale", "net/n/offset", "net/n/mean", "net/n/variance", "net/y/weights", "net/y/bias"}
	prefixed := func(prefix string, names ...string) []string {
		var out []string
		for _, name := range names {
			out = append(out, prefix+name)
		}
		return out
	}
	learned := []string{"net/n/scale", "net/n/offset", "net/y/weights", "net/y/bias"}
	for _, c := range []struct {
		recipe string
		want   []string
	}{
		{enginetest.SGD, slices.Concat(weights, prefixed("optimizer/velocity/", learned...))},
		{enginetest.Adam + `, "average": {"decay": 0.5}`, slices.Concat(weights, prefixed("optimizer/mean/", learned...),
			prefixed("optimizer/square/", learned...), prefixed("average/", weights...))},
	} {
		plan := enginetest.Plan(t, enginetest.Document(3, 3, "unit", layers, enginetest.Plain(c.recipe)), "a_x")
		l := device.NewLayout(plan)
		var names []string
		for i, of := range l.Tensors {
			names = append(names, of.Name)
			p := l.Params[of.Param]
			if !slices.Equal(of.Shape, p.Shape) {
				t.Errorf("tensor %s: found shape %v, want %v", of.Name, of.Shape, p.Shape)
			}
			at := of.Param
			switch of.Role {
			case device.Slot:
				k := slices.Index(l.Trainable, of.Param)
				slot := (i - len(l.Params)) / len(l.Trainable)
				if at = l.Slot(slot, k); of.Name != "optimizer/"+l.Slots[slot]+"/"+p.Tensor {
					t.Errorf("tensor %s: found slot %s of %s", of.Name, l.Slots[slot], p.Tensor)
				}
			case device.Average:
				at = l.Average(of.Param)
			}
			if at != i {
				t.Errorf("tensor %s: found it at %d, want %d", of.Name, at, i)
			}
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("found the tensors %q, want %q", names, c.want)
		}
		for i, p := range l.Params {
			want := p.Tensor
			if l.Averaged {
				want = "average/" + want
			}
			if got := l.Tensors[l.Current(i)].Name; got != want {
				t.Errorf("parameter %s: answers are made with %s, want %s", p.Tensor, got, want)
			}
		}
	}
}
