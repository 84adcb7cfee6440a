package blueprint

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/specs/record"
)

// A value taken as it is equals the one read from its text, and no value is
// taken that reading refuses.
func TestParsedValues(t *testing.T) {
	values := []any{-1, 0, 1, 2, 1024, 1025, 1 << 20, 1<<20 + 1, -0.5, 0.0, 0.5, 1.0, 1e30, 1e31, math.Inf(1), math.NaN(), true, false, "", "columns", "points", "relu",
		"same", "shared", "nearest", [2]int{0, 0}, [2]int{1, 2}, [2]int{-1, 1}, []int{1, 2}, []int{-1}, Padding{Mode: "same"}, Padding{Amount: [2][2]int{{1, 2}, {3, 4}}}, nil}
	taken := 0
	for _, k := range Kinds {
		for i := range k.Settings {
			s := &k.Settings[i]
			for _, v := range values {
				if !s.parsed(v) {
					continue
				}
				taken++
				raw, err := record.Text(v)
				if err != nil {
					t.Errorf("%s, %s = %v: %v", k.Name, s.Name, v, err)
					continue
				}
				if read, err := s.parse(raw); err != nil || !reflect.DeepEqual(read, v) {
					t.Errorf("%s, %s = %v: taken, but read as %v (%v)", k.Name, s.Name, v, read, err)
				}
			}
		}
	}
	if taken == 0 {
		t.Error("found no value taken as it is")
	}
}

// Symbols stand for numbers that are within a setting's own limits, and a
// pad's amounts can't hide behind a mode.
func TestValuesOfALayer(t *testing.T) {
	conv := KindByName("conv2d")
	v, err := conv.values(&Layer{Kind: "conv2d", Settings: Settings{"filters": "points", "padding": Padding{Mode: "valid", Amount: [2][2]int{{9, 9}, {9, 9}}}}}, 30)
	if err != nil {
		t.Fatal(err)
	}
	if v.Int("filters") != 15 || v.Padding("padding") != (Padding{Mode: "valid"}) || v.Pair("kernel") != [2]int{3, 3} || v.Text("bias") != "shared" {
		t.Errorf("found %v", v)
	}
	v, err = KindByName("reshape").values(&Layer{Kind: "reshape", Settings: Settings{"shape": []int{-1, 3}}}, 30)
	if err != nil || !slices.Equal(v.Shape("shape"), []int{-1, 3}) {
		t.Errorf("found %v (%v)", v, err)
	}
	v, err = KindByName("dropout").values(&Layer{Kind: "dropout", Settings: Settings{"rate": 0, "rescale": false}}, 30)
	if err != nil || v.Float("rate") != 0 || v.Bool("rescale") {
		t.Errorf("found %v (%v)", v, err)
	}
}
