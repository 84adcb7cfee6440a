package blueprint

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRead reads, checks and plans a document as the host does: one of
// every kind of layer, and the largest that a plugin may send.
func BenchmarkRead(b *testing.B) {
	for name, text := range map[string][]byte{"every-kind": documents(b, "good")["every-kind"], "largest": largest()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := read(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// largest is a valid document near the limits: many members of many layers.
func largest() []byte {
	var out bytes.Buffer
	out.WriteString(`{"blueprint":1,"name":"largest","input":{"height":96,"width":96,"channels":1},"members":[`)
	for m := range 12 {
		if m > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `{"name":"m%d","columns":["*"],"layers":[`, m)
		for l := range 4000 {
			fmt.Fprintf(&out, `{"name":"l%d","kind":"conv2d","filters":8,"kernel":3,"padding":1},`, l)
		}
		out.WriteString(`{"name":"flatten","kind":"flatten"},{"name":"out","kind":"dense","units":"columns"}],`)
		out.WriteString(`"recipe":{"loss":{"kind":"mse"},"optimizer":{"kind":"sgd"},"rate":0.1,"epochs":3,"batch":4,"validation":0.2}}`)
	}
	out.WriteString("]}")
	return out.Bytes()
}

func TestLargest(t *testing.T) {
	text := largest()
	if len(text) < MaxBytes/2 || len(text) > MaxBytes {
		t.Fatalf("found %d bytes, want a document near the limit", len(text))
	}
	d, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), `"conv2d"`) != 12*(len(d.Members[0].Layers)-2) {
		t.Error("found layers lost")
	}
}
