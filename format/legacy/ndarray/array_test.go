package ndarray

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// 2x3 arrays of every type, in both orders.
func TestArrayTypes(t *testing.T) {
	tests := []struct {
		kind, order string
		fortran     bool
		data        string
		want        []float32
		exact       bool
	}{
		{"f4", "<", false, "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40\x00\x00\xa0\x40\x00\x00\xc0\xc0", []float32{1, 2, 3, 4, 5, -6}, true},
		{"f4", ">", true, "\x3f\x80\x00\x00\x40\x00\x00\x00\x40\x40\x00\x00\x40\x80\x00\x00\x40\xa0\x00\x00\xc0\xc0\x00\x00", []float32{1, 3, 5, 2, 4, -6}, true},
		{"f2", "<", false, "\x00\x3c\x00\xc0\x01\x00\x00\x7c\xff\x7b\x00\x80", []float32{1, -2, 0x1p-24, float32(math.Inf(1)), 65504, 0}, true},
		{"f8", ">", false, "\x3f\xf0\x00\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 32) + "\x3f\xb9\x99\x99\x99\x99\x99\x9a", []float32{1, 0, 0, 0, 0, 0.1}, false},
		{"i1", "|", false, "\x01\x02\x03\x04\x05\xff", []float32{1, 2, 3, 4, 5, -1}, true},
		{"u1", "|", true, "\x01\x02\x03\x04\x05\xff", []float32{1, 3, 5, 2, 4, 255}, true},
		{"i2", ">", false, "\x00\x01\x00\x02\x00\x03\x00\x04\x00\x05\xff\xff", []float32{1, 2, 3, 4, 5, -1}, true},
		{"b1", "|", false, "\x01\x00\x01\x00\x01\x01", []float32{1, 0, 1, 0, 1, 1}, true},
		{"i4", "<", false, strings.Repeat("\x00", 20) + "\x01\x00\x00\x01", []float32{0, 0, 0, 0, 0, 1 << 24}, false},
	}
	for _, tt := range tests {
		a, err := New([]byte(tt.data), []int{2, 3}, tt.kind, tt.order, tt.fortran)
		if err != nil {
			t.Fatalf("%s: %v", tt.kind, err)
		}
		got, exact := a.Float32()
		if !slices.Equal(got, tt.want) || exact != tt.exact {
			t.Errorf("%s%s: found %v (exact %t), want %v (%t)", tt.order, tt.kind, got, exact, tt.want, tt.exact)
		}
		doubles := a.Float64()
		for i, v := range doubles {
			if float32(v) != tt.want[i] {
				t.Errorf("%s%s: found %v as float64, want %v", tt.order, tt.kind, doubles, tt.want)
				break
			}
		}
	}
}

func TestArrayViews(t *testing.T) {
	a, err := New([]byte("\x00\x01\x02\x03\x04\x05"), []int{2, 3}, "u1", "|", false)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		view  *Array
		shape []int
		want  []float32
	}{
		"transposed":                {a.Transpose(1, 0), []int{3, 2}, []float32{0, 3, 1, 4, 2, 5}},
		"rows turned round":         {a.Flip(0), []int{2, 3}, []float32{3, 4, 5, 0, 1, 2}},
		"both turned round":         {a.Flip(0).Flip(1), []int{2, 3}, []float32{5, 4, 3, 2, 1, 0}},
		"turned round and back":     {a.Flip(1).Flip(1), []int{2, 3}, []float32{0, 1, 2, 3, 4, 5}},
		"split, transposed, turned": {a.Split(1, 3, 1).Transpose(2, 1, 0).Flip(1), []int{1, 3, 2}, []float32{2, 5, 1, 4, 0, 3}},
	}
	for name, tt := range tests {
		if got, _ := tt.view.Float32(); !slices.Equal(got, tt.want) || !slices.Equal(tt.view.Shape, tt.shape) {
			t.Errorf("%s: found %v of shape %v, want %v of shape %v", name, got, tt.view.Shape, tt.want, tt.shape)
		}
	}
	scalar, err := New([]byte{7}, nil, "u1", "|", false)
	if got, _ := scalar.Float32(); err != nil || !slices.Equal(got, []float32{7}) {
		t.Errorf("a scalar: found %v, %v", got, err)
	}
	empty, err := New(nil, []int{0, 1 << 62}, "f4", "<", false)
	if got, _ := empty.Float32(); err != nil || len(got) != 0 {
		t.Errorf("an empty array: found %v, %v", got, err)
	}
}

// Shapes that lie about the data are refused before anything is allocated.
func TestArrayRefused(t *testing.T) {
	tests := map[string]struct {
		shape []int
		kind  string
		want  string
	}{
		"too many values": {[]int{1 << 40}, "f4", "want 1099511627776 values"},
		"overflow":        {[]int{1 << 32, 1 << 32}, "f4", "can be counted"},
		"negative":        {[]int{-1}, "f4", "can be counted"},
		"too few values":  {[]int{1}, "f4", "found 8 bytes for the shape [1]"},
		"objects":         {[]int{1}, "O", "want floats"},
		"many axes":       {make([]int, 65), "f4", "found 65 axes"},
	}
	for name, tt := range tests {
		if _, err := New(make([]byte, 8), tt.shape, tt.kind, "<", false); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: found %v, want %q", name, err, tt.want)
		}
	}
}
