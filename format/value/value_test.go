package value

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/scan"
)

// Each edge where msgpack changes its form, there and back; the scanner sees to it that the form is the shortest.
func TestValues(t *testing.T) {
	dict := func(n int) map[string]any {
		m := map[string]any{}
		for i := range n {
			m[fmt.Sprint(i)] = nil
		}
		return m
	}
	same := []any{nil, true, false, "", "a", []byte{}, []byte{1}, []any{}, map[string]any{}, 0.0, 1.0, math.Copysign(0, -1), math.Inf(1),
		math.SmallestNonzeroFloat64, int64(math.MaxInt64), int64(math.MinInt64), uint64(math.MaxInt64 + 1), uint64(math.MaxUint64)}
	for _, n := range []int64{1, 31, 32, 33, 127, 128, 129, 255, 256, 32767, 32768, 32769, 65535, 65536, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 1, 1 << 32} {
		same = append(same, n, -n, float64(n))
		if n <= 65536 {
			same = append(same, strings.Repeat("x", int(n)), make([]byte, n), make([]any, n), dict(int(n)))
		}
	}
	for _, v := range same {
		raw, err := Encode(v, "v")
		if err != nil {
			t.Fatal(err)
		}
		c := &scan.Cursor{B: raw}
		if err := c.Skip(0); err != nil || c.Pos != len(raw) {
			t.Errorf("%.40v: the scanner says %v at %d of %d", v, err, c.Pos, len(raw))
		}
		got, err := Decode(raw)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%T %.40v came back as %T %.40v (%v)", v, v, got, got, err)
		}
	}
	others := []struct{ in, want any }{
		{int8(-3), int64(-3)}, {uint16(7), int64(7)}, {uint64(7), int64(7)}, {float32(0.5), 0.5}, {[]string{"a"}, []any{"a"}},
		{[]float64{1, 2}, []any{1.0, 2.0}}, {[]int{1}, []any{int64(1)}}, {map[string]string{"a": "b"}, map[string]any{"a": "b"}},
		{[]map[string]any{{"a": 1}}, []any{map[string]any{"a": int64(1)}}}, {[]any(nil), nil}, {map[string]any(nil), nil}, {[]byte(nil), nil},
	}
	for _, o := range others {
		raw, err := Encode(o.in, "v")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(raw); err != nil || !reflect.DeepEqual(got, o.want) {
			t.Errorf("%T came back as %T %v (%v), want %T %v", o.in, got, got, err, o.want, o.want)
		}
	}
	a, _ := Encode(math.Float64frombits(0xfff8000000000123), "")
	b, _ := Encode(math.NaN(), "")
	if !bytes.Equal(a, b) || !math.IsNaN(mustDecode(t, a).(float64)) {
		t.Errorf("two NaNs are %x and %x", a, b)
	}
}

func mustDecode(t *testing.T, raw []byte) any {
	t.Helper()
	v, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestJSON(t *testing.T) {
	cases := []struct {
		in   string
		want any
		out  string // "" if as in
	}{
		{"null", nil, ""}, {"true", true, ""}, {"0", int64(0), ""}, {"-7", int64(-7), ""}, {"1.0", 1.0, ""}, {"1e2", 100.0, "100.0"},
		{"1E-7", 1e-7, "1e-07"}, {"-0", math.Copysign(0, -1), "-0.0"}, {"-0.0", math.Copysign(0, -1), ""},
		{"9223372036854775807", int64(math.MaxInt64), ""}, {"9223372036854775808", uint64(1 << 63), ""}, {"18446744073709551615", uint64(math.MaxUint64), ""},
		{"-9223372036854775808", int64(math.MinInt64), ""}, {"9007199254740993", int64(9007199254740993), ""}, {"0.1", 0.1, ""},
		{"1.7976931348623157e308", math.MaxFloat64, "1.7976931348623157e+308"}, {`"a<b>&\u00e9\u2028"`, "a<b>&é\u2028", "\"a<b>&é\\u2028\""},
		{` { "b" : [ 1 , 2.5 , null ] , "a" : { } , "" : [] } `, map[string]any{"b": []any{int64(1), 2.5, nil}, "a": map[string]any{}, "": []any{}}, `{"":[],"a":{},"b":[1,2.5,null]}`},
	}
	for _, c := range cases {
		got, err := FromJSON([]byte(c.in))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s gave %T %v (%v), want %T %v", c.in, got, got, err, c.want, c.want)
		}
		if c.out == "" {
			c.out = c.in
		}
		out, err := ToJSON(got)
		if err != nil || normal(string(out)) != normal(c.out) {
			t.Errorf("%s went out as %s (%v), want %s", c.in, out, err, c.out)
		}
		if again, err := FromJSON(out); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s came back as %v (%v)", out, again, err)
		}
	}
	bad := []struct{ in, says string }{
		{"", "EOF"}, {"{", "EOF"}, {"1 2", "more follows"}, {`{"a":1,"a":2}`, "twice"}, {"18446744073709551616", "64 bits"}, {"1e999", "float64"},
		{"\"\xff\"", "UTF-8"}, {"{1:2}", "json"}, {"[1,]", "json"}, {"nan", "json"}, {strings.Repeat("[", 200), "deeper"}, {"01", "json"},
	}
	for _, c := range bad {
		if v, err := FromJSON([]byte(c.in)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40s gave %v, %v; want an error with %q", c.in, v, err, c.says)
		}
	}
	for _, v := range []any{math.NaN(), math.Inf(-1), []any{[]byte{1}}, map[string]any{"x": struct{}{}}} {
		if out, err := ToJSON(v); !errors.Is(err, fault.ErrValue) {
			t.Errorf("%v gave %s, %v; want ErrValue", v, out, err)
		}
	}
	if _, err := ToJSON(map[string]any{"a": []any{1, math.NaN()}}); err == nil || !strings.Contains(err.Error(), "value.a[1]") {
		t.Errorf("the place is missing: %v", err)
	}
}

// normal takes the choices of exponents' looks away.
func normal(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "e+", "e"), "e-0", "e-")
}

// equal is reflect.DeepEqual but for NaN.
func equal(a, b any) bool {
	x, xerr := Encode(a, "")
	y, yerr := Encode(b, "")
	return xerr == nil && yerr == nil && bytes.Equal(x, y)
}
