package model

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Uncalibrated is a copy of the document without what its answers are shifted by.
func Uncalibrated(d *blueprint.Document) *blueprint.Document {
	out := d.Clone()
	for i := range out.Members {
		out.Members[i].Output.Shift = nil
	}
	return out
}

// spelledOut is an input with its defaults filled in: left out or spelled out,
// they are the same.
func spelledOut(in blueprint.Input) blueprint.Input {
	in.Scaling = cmp.Or(in.Scaling, blueprint.Scalings[0])
	return in
}

// networkFields are a document's values by their paths, without the recipes, what
// training found, and what is said for people.
func networkFields(d *blueprint.Document) (map[string]json.RawMessage, error) {
	d = d.Clone()
	d.Input = spelledOut(d.Input)
	all, err := fieldsOf(d)
	if err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for at, v := range all {
		parts := strings.Split(at, ".")
		if at == "name" || at == "summary" || at == "source" {
			continue
		}
		if len(parts) > 2 && parts[0] == "members" && (parts[2] == "recipe" || parts[2] == "output" && len(parts) > 3 && parts[3] == "shift") {
			continue
		}
		out[at] = v
	}
	return out, nil
}

// Difference is a value in which two parts of documents differ.
type Difference struct {
	At          string          // its path, as in optimizer.kind
	Found, Want json.RawMessage // nil: not there
}

// String names the value and what was found and wanted there.
func (d *Difference) String() string {
	return fmt.Sprintf("%s: found %s, want %s", d.At, orNone(d.Found), orNone(d.Want))
}

// Differences are those of two parts of documents, as of two recipes, in the order
// of their paths.
func Differences(found, want any) ([]Difference, error) {
	a, err := fieldsOf(found)
	if err != nil {
		return nil, err
	}
	b, err := fieldsOf(want)
	if err != nil {
		return nil, err
	}
	return differences(a, b), nil
}

func differences(found, want map[string]json.RawMessage) (out []Difference) {
	all := maps.Clone(found)
	maps.Copy(all, want)
	for _, at := range slices.Sorted(maps.Keys(all)) {
		if !bytes.Equal(found[at], want[at]) {
			out = append(out, Difference{at, found[at], want[at]})
		}
	}
	return out
}

func orNone(v json.RawMessage) string {
	if v == nil {
		return "none"
	}
	return string(v)
}

// fieldsOf are the values of a document's part by their paths, as in optimizer.kind.
func fieldsOf(part any) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(part)
	if err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	var walk func(at string, text json.RawMessage) error
	walk = func(at string, text json.RawMessage) error {
		var object map[string]json.RawMessage
		var list []json.RawMessage
		switch text[0] {
		case '{':
			err = json.Unmarshal(text, &object)
		case '[':
			err = json.Unmarshal(text, &list)
			object = make(map[string]json.RawMessage, len(list))
			for i, v := range list {
				object[fmt.Sprint(i)] = v
			}
		default:
			out[strings.TrimSuffix(at, ".")] = text
		}
		if err != nil {
			return err
		}
		for name, inner := range object {
			if err := walk(at+name+".", inner); err != nil {
				return err
			}
		}
		return nil
	}
	return out, walk("", text)
}

// SameTraining tells whether two checkpoints are of one training: the same
// document on the same data, or, where one went on with a change, the same
// network, with the same losses in the epochs that both have.
func SameTraining(a, b *Model) bool {
	if a.Provenance.Start != b.Provenance.Start || len(a.History) != len(b.History) {
		return false
	}
	shared := 0 // epochs
	for i := range a.History {
		for _, v := range [][2][]float64{{a.History[i].TrainLoss, b.History[i].TrainLoss}, {a.History[i].ValidationLoss, b.History[i].ValidationLoss}} {
			n := min(len(v[0]), len(v[1]))
			shared += n
			if !slices.Equal(v[0][:n], v[1][:n]) {
				return false
			}
		}
	}
	if shared > 0 {
		networkA, errA := networkFields(a.Document)
		networkB, errB := networkFields(b.Document)
		return errA == nil && errB == nil && len(differences(networkA, networkB)) == 0
	}
	textA, errA := Uncalibrated(a.Document).JSON()
	textB, errB := Uncalibrated(b.Document).JSON()
	return errA == nil && errB == nil && bytes.Equal(textA, textB) && a.Provenance.Data.Checksum == b.Provenance.Data.Checksum
}
