package model_test

import (
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/model"
)

// What weights have seen is never less than what is known, and unknown where a part of it is.
func TestSeen(t *testing.T) {
	data := func(c string) model.DataFrom { return model.DataFrom{Checksum: c} }
	for _, c := range []struct {
		name string
		p    model.Provenance
		seen []string
	}{
		{"trained", model.Provenance{Data: data("a")}, []string{"a"}},
		{"converted", model.Provenance{}, []string{model.UnknownData}},
		{"started from a's", model.Provenance{Data: data("b"), Start: "x", StartData: []string{"a"}}, []string{"a", "b"}},
		{"started before it was recorded", model.Provenance{Data: data("b"), Start: "x"}, []string{model.UnknownData, "b"}},
		{"went on with other data", model.Provenance{Data: data("b"), StartData: []string{"a", model.UnknownData}}, []string{"a", model.UnknownData, "b"}},
		{"merged", model.Provenance{Merged: []model.MergedFrom{{Data: "a"}, {Data: "b"}}}, []string{"a", "b"}},
		{"merged with a converted one", model.Provenance{Merged: []model.MergedFrom{{Data: "a"}, {}}}, []string{"a", model.UnknownData}},
	} {
		if got := c.p.Seen(); !slices.Equal(got, c.seen) {
			t.Errorf("%s: found %q, want %q", c.name, got, c.seen)
		}
	}
	for _, c := range []struct {
		name string
		p    model.Provenance
		saw  bool
	}{
		{"trained on it", model.Provenance{Data: data("a")}, false},
		{"started from it", model.Provenance{Data: data("a"), Start: "x", StartData: []string{"a"}}, true},
		{"started from another", model.Provenance{Data: data("a"), Start: "x", StartData: []string{"b"}}, false},
		{"started from unknown data", model.Provenance{Data: data("a"), Start: "x", StartData: []string{"b", model.UnknownData}}, true},
		{"went on with other data", model.Provenance{Data: data("a"), StartData: []string{"b", model.UnknownData}}, true},
	} {
		if got := c.p.SawBefore("a"); got != c.saw {
			t.Errorf("%s: found %v, want %v", c.name, got, c.saw)
		}
	}
}
