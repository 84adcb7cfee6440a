package value

import "testing"

// FuzzJSON: what has a value has JSON again, with the same value.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,-0,1e300,null,true,"x\u0000\ud800"]}`, `18446744073709551615`, `{"a":{"":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := FromJSON(data)
		if err != nil {
			return
		}
		out, err := ToJSON(v)
		if err != nil {
			t.Fatal(err)
		}
		again, err := FromJSON(out)
		if err != nil || !equal(v, again) {
			t.Fatalf("%s gave %v, then %s gave %v (%v)", data, v, out, again, err)
		}
	})
}
