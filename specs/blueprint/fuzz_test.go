package blueprint

import (
	"bytes"
	"testing"
)

// FuzzParse: no text makes reading panic, hang or take much memory, and a
// document that was read stays the same however often it is written and read.
func FuzzParse(f *testing.F) {
	for _, folder := range []string{"good", "bad"} {
		for _, text := range documents(f, folder) {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		first, err := d.JSON()
		if err != nil {
			t.Fatalf("read but can't be written: %v", err)
		}
		again, err := Parse(first)
		if err != nil {
			t.Fatalf("written but can't be read: %v\n%s", err, first)
		}
		second, err := again.JSON()
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("found other bytes (%v):\n%s\n%s", err, first, second)
		}
		d.UnknownFields()
		valid := d.Validate(KaggleColumns)
		if other := again.Validate(KaggleColumns); (valid == nil) != (other == nil) {
			t.Fatalf("found %v when read once and %v when read twice", valid, other)
		}
		for i := range d.Members {
			p, err := NewPlan(d, i, KaggleColumns)
			if err != nil {
				if valid == nil {
					t.Fatalf("found a valid document without a plan: %v", err)
				}
				continue
			}
			checkPlan(t, p)
		}
		if valid != nil {
			return
		}
		resolved, err := d.Resolve(KaggleColumns)
		if err != nil {
			t.Fatal(err)
		}
		if err := resolved.Validate(nil); err != nil {
			t.Fatalf("resolved: %v", err)
		}
		if n, err := d.Parameters(KaggleColumns); err != nil || n < 0 || n > maxMembers*maxParameters {
			t.Fatalf("found %d parameters (%v)", n, err)
		}
	})
}

// checkPlan wants what an engine builds on: shapes of at least one value,
// inputs that come earlier, counts within the limits, schedules with values.
func checkPlan(t *testing.T, p *Plan) {
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Out.check() != nil || n.FLOPs < 0 || n.Parameters() < 0 || len(n.In) != len(n.Inputs) {
			t.Fatalf("layer %q: found shape %v, %d operations, %d parameters, %d inputs", n.Layer.Name, n.Out, n.FLOPs, n.Parameters(), len(n.In))
		}
		for _, from := range n.Inputs {
			if from < -1 || from >= i {
				t.Fatalf("layer %q (number %d): found the input %d", n.Layer.Name, i, from)
			}
		}
	}
	if p.FLOPs() > maxFLOPs || p.Parameters() > maxParameters || p.Nodes[p.Output].Out[0] != len(p.Columns) {
		t.Fatalf("found %d operations, %d parameters, the output %v", p.FLOPs(), p.Parameters(), p.Nodes[p.Output].Out)
	}
	for path, s := range p.Member.Recipe.schedules() {
		for epoch := range 3 {
			if v := s.At(Progress{Epoch: epoch, Epochs: 3, Step: 10 * epoch, StepsPerEpoch: 10}); v != v || v < 0 {
				t.Fatalf("%s at epoch %d: found %g", path, epoch, v)
			}
		}
	}
}
