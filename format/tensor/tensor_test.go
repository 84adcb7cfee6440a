package tensor

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/fkzoo/fkzoo/format/fault"
)

func TestNewTensorAndValues(t *testing.T) {
	x, err := New("x", Float32, []int{2, 1}, []float32{1, -2})
	if err != nil || !bytes.Equal(x.Data, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}) {
		t.Errorf("float32 gave %x (%v)", x.Data, err)
	}
	if got, err := Values[float32](x); err != nil || !reflect.DeepEqual(got, []float32{1, -2}) {
		t.Errorf("came back as %v (%v)", got, err)
	}
	if !bytes.Equal(swapped([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 4), []byte{4, 3, 2, 1, 8, 7, 6, 5}) {
		t.Error("swapped is wrong")
	}
	h, err := New("h", BFloat16, []int{1}, []uint16{0x3f80})
	if err != nil || !bytes.Equal(h.Data, []byte{0x80, 0x3f}) {
		t.Errorf("bfloat16 gave %x (%v)", h.Data, err)
	}
	if _, err := New("h", Float8E5M2, []int{2}, []uint8{1, 2}); err != nil {
		t.Error(err)
	}
	b, err := New("b", Bool, []int{2}, []bool{true, false})
	if err != nil || !bytes.Equal(b.Data, []byte{1, 0}) {
		t.Errorf("bool gave %x (%v)", b.Data, err)
	}
	for _, err := range []error{
		second(New("x", Float64, []int{1}, []float32{1})), second(New("x", Int32, []int{1}, []uint32{1})),
		second(New("x", Float32, []int{2}, []float32{1})), second(New("x", Float16, []int{1}, []int16{1})),
		second(Values[float64](x)), second(Values[uint16](x)), second(Values[bool](Tensor{Name: "b", Type: Bool, Shape: []int{1}, Data: []byte{2}})),
	} {
		if !errors.Is(err, fault.ErrValue) {
			t.Errorf("gave %v, want ErrValue", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
