package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/tensor"
)

// Write writes tensors and texts as a .safetensors file. The same content gives the same bytes, whatever the order of the
// tensors: they are written widest type first, then by name, as the format's own library does.
func Write(w io.Writer, tensors []tensor.Tensor, metadata map[string]string) error {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b tensor.Tensor) int {
		return cmp.Or(cmp.Compare(rank(a.Type), rank(b.Type)), strings.Compare(a.Name, b.Name))
	})
	head, err := header(sorted, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for i := range sorted {
		if _, err := w.Write(sorted[i].Data); err != nil {
			return err
		}
	}
	return nil
}

func rank(t tensor.DType) int {
	for i, c := range types {
		if c.t == t {
			return i
		}
	}
	return len(types)
}

// header gives the file's bytes before the first tensor's, filled up with blanks to a multiple of 8.
func header(sorted []tensor.Tensor, metadata map[string]string) ([]byte, error) {
	if len(sorted) > tensor.MaxTensors {
		return nil, fmt.Errorf("found %d tensors, want at most %d: %w", len(sorted), tensor.MaxTensors, fault.ErrLimit)
	}
	out := bytes.NewBuffer(make([]byte, 8))
	out.WriteByte('{')
	if len(metadata) > 0 {
		for k, v := range metadata {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("metadata %.40q: found a text that is not UTF-8", k)
			}
		}
		text, err := compact(metadata) // keys sorted
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "%q:%s", metadataKey, text)
	}
	at := int64(0)
	seen := map[string]bool{metadataKey: true}
	for i := range sorted {
		t := &sorted[i]
		if err := t.Check(); err != nil {
			return nil, err
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %.100q: found the name twice, or one that is the format's own, want each once", t.Name)
		}
		seen[t.Name] = true
		name, err := compact(t.Name)
		if err != nil {
			return nil, err
		}
		if out.Len() > len("12345678{") {
			out.WriteByte(',')
		}
		shape := strings.Join(strings.Fields(fmt.Sprint(t.Shape)), ",")
		fmt.Fprintf(out, `%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, name, types[rank(t.Type)].name, shape, at, at+int64(len(t.Data)))
		at += int64(len(t.Data))
	}
	out.WriteByte('}')
	for out.Len()%8 != 0 {
		out.WriteByte(' ')
	}
	if out.Len()-8 > MaxHeader {
		return nil, fmt.Errorf("found a header of %d bytes, want at most %d: %w", out.Len()-8, MaxHeader, fault.ErrLimit)
	}
	b := out.Bytes()
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	return b, nil
}

// compact is a value's JSON, <, > and & as they are.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
