package format

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/header"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/internal/crc32"
	"github.com/fkzoo/fkzoo/internal/hugepage"
)

// chunk is how many bytes are read or hashed at a time: they stay in the processor's cache between two uses.
const chunk = 256 << 10

var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// Infos is the index, in the file's order.
func (f *File) Infos() []Info { return slices.Clone(f.h.Infos) }

// Info gives a tensor's entry in the index.
func (f *File) Info(name string) (Info, bool) {
	i, ok := f.h.Find(name)
	if !ok {
		return Info{}, false
	}
	return f.h.Infos[i], true
}

// Range gives the positions in the file of a tensor's first byte and of the one after its last.
func (f *File) Range(t *Info) (start, end int64) {
	start = f.base + t.Offset
	return start, start + t.Length
}

func (f *File) info(name string) (*Info, error) {
	i, ok := f.h.Find(name)
	if !ok {
		return nil, &Error{Kind: ErrNoTensor, Path: f.path, Part: fault.TensorPart(name), Tensor: name,
			Detail: fmt.Sprintf("the file has %d others", len(f.h.Infos))}
	}
	return &f.h.Infos[i], nil
}

// fail is an error about a tensor's bytes.
func (f *File) fail(k error, t *Info, format string, args ...any) *Error {
	start, end := f.Range(t)
	return &Error{Kind: k, Path: f.path, Part: fault.TensorPart(t.Name), Tensor: t.Name, Start: start, End: end, Detail: fmt.Sprintf(format, args...)}
}

func (f *File) tensor(t *Info, data []byte) (Tensor, error) {
	extra, err := t.Extra()
	return Tensor{Name: t.Name, Type: t.Type, Shape: slices.Clone(t.Shape), Data: data, Extra: extra}, fault.At(f.path, err)
}

// Tensor gives a view on the tensor in the mapping, after comparing its CRC-32. Nothing may be written to Data, and it must not be
// used after Close. Should somebody else make the file shorter, reading the view faults: read it within Guard, and give
// C code a Copy. Where there is no mapping, Data is a copy.
func (f *File) Tensor(name string) (Tensor, error) {
	t, err := f.info(name)
	if err != nil {
		return Tensor{}, err
	}
	done, err := f.use()
	if err != nil {
		return Tensor{}, err
	}
	defer done()
	start, end := f.Range(t)
	if f.data == nil {
		return f.copy(t)
	}
	data := f.data[start:end:end]
	err = Guard(func() error {
		sum := crc32.Checksum(data)
		return f.compare(t, f.data[start-header.BinHead:start], sum, t.Type == Bool && tensor.BadBool(data) >= 0)
	})
	if err != nil {
		return Tensor{}, f.faulted(t, err)
	}
	return f.tensor(t, data)
}

// faulted says of a fault in the mapping whose it is, and whether the file has become shorter.
func (f *File) faulted(t *Info, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Kind != ErrFault {
		return err
	}
	if n, serr := f.file.Length(); serr == nil && n < f.end() {
		return f.fail(ErrTruncated, t, "the file had %d bytes when it was opened and now has %d", f.size, n)
	}
	failed := f.fail(ErrFault, t, "reading the mapping failed")
	failed.Cause = e.Cause
	return failed
}

// compare holds the bin head in front of a tensor's data, and the data's CRC, against the index.
func (f *File) compare(t *Info, bin []byte, sum uint32, badBool bool) error {
	if want := header.BinHeadOf(t.Length); string(bin) != string(want[:]) {
		e := f.fail(ErrDamaged, t, "the msgpack head before its data is %x, want %x", bin, want)
		e.Start -= header.BinHead
		e.End = e.Start + header.BinHead
		return e
	}
	return f.compareData(t, sum, badBool)
}

func (f *File) compareData(t *Info, sum uint32, badBool bool) error {
	if sum != t.CRC {
		return f.fail(ErrDamaged, t, "its CRC-32 is %08x, want %08x", sum, t.CRC)
	}
	if badBool {
		return f.fail(ErrDamaged, t, "has bools that are neither 0 nor 1")
	}
	return nil
}

// readChecked reads a tensor's data into b, which has its length, and compares the CRC-32 of what was read.
func (f *File) readChecked(t *Info, b []byte) error {
	start, _ := f.Range(t)
	var bin [header.BinHead]byte
	if err := f.readAt(bin[:], start-header.BinHead, fault.TensorPart(t.Name)); err != nil {
		return f.naming(t, err)
	}
	sum, bad, err := f.readData(t, b)
	if err != nil {
		return err
	}
	return f.compare(t, bin[:], sum, bad)
}

// readData reads a tensor's data into b and gives its CRC-32, and whether it has bools that are none.
func (f *File) readData(t *Info, b []byte) (sum uint32, bad bool, err error) {
	start, _ := f.Range(t)
	for len(b) > 0 {
		n := min(chunk, len(b))
		if err := f.readAt(b[:n], start, fault.TensorPart(t.Name)); err != nil {
			return 0, false, f.naming(t, err)
		}
		sum = crc32.Update(sum, b[:n])
		bad = bad || t.Type == Bool && tensor.BadBool(b[:n]) >= 0
		b = b[n:]
		start += int64(n)
	}
	return sum, bad, nil
}

func (f *File) naming(t *Info, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Tensor = t.Name
	}
	return fault.At(f.path, err)
}

// Copy reads a tensor into memory of its own, which nothing outside can change any more, and compares the CRC-32 of that.
func (f *File) Copy(name string) (Tensor, error) {
	t, err := f.info(name)
	if err != nil {
		return Tensor{}, err
	}
	done, err := f.use()
	if err != nil {
		return Tensor{}, err
	}
	defer done()
	return f.copy(t)
}

func (f *File) copy(t *Info) (Tensor, error) {
	if t.Length > math.MaxInt {
		return Tensor{}, f.fail(ErrLimit, t, "has %d bytes, more than a 32-bit program can hold", t.Length)
	}
	data := make([]byte, t.Length)
	hugepage.Advise(data)
	if err := f.readChecked(t, data); err != nil {
		return Tensor{}, err
	}
	return f.tensor(t, data)
}

// CopyInto is Copy into b, which must have the tensor's length. After an error b holds anything.
func (f *File) CopyInto(b []byte, name string) error {
	t, err := f.info(name)
	if err != nil {
		return err
	}
	if int64(len(b)) != t.Length {
		return f.fail(ErrValue, t, "is to be read into %d bytes, want %d", len(b), t.Length)
	}
	done, err := f.use()
	if err != nil {
		return err
	}
	defer done()
	return f.readChecked(t, b)
}

// CopyValues is Copy as a slice of Go values, whose type must fit as for NewTensor. It costs the tensor's length once,
// where Copy and Values cost it twice.
func CopyValues[T Element](f *File, name string) ([]T, error) {
	t, err := f.info(name)
	if err != nil {
		return nil, err
	}
	if err := tensor.Fits[T](t.Type); err != nil {
		return nil, f.fail(ErrValue, t, "%s", err)
	}
	if t.Length > math.MaxInt {
		return nil, f.fail(ErrLimit, t, "has %d bytes, more than a 32-bit program can hold", t.Length)
	}
	done, err := f.use()
	if err != nil {
		return nil, err
	}
	defer done()
	return tensor.Fill[T](int(t.Length)/t.Type.Size(), func(data []byte) error { return f.readChecked(t, data) })
}

// CopyAll copies all tensors, in the file's order, on all processors.
func (f *File) CopyAll() ([]Tensor, error) {
	done, err := f.use()
	if err != nil {
		return nil, err
	}
	defer done()
	list := make([]Tensor, len(f.h.Infos))
	errs := make([]error, len(list))
	f.each(func(i int, t *Info) { list[i], errs[i] = f.copy(t) })
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// each calls fn for every tensor, the largest first, on all processors.
func (f *File) each(fn func(i int, t *Info)) {
	order := bySize(f.h.Infos)
	var at atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(order)) {
		wg.Go(func() {
			for n := at.Add(1) - 1; n < int64(len(order)); n = at.Add(1) - 1 {
				fn(order[n], &f.h.Infos[order[n]])
			}
		})
	}
	wg.Wait()
}

// bySize gives the tensors' places in the index, those of the largest first.
func bySize(infos []Info) []int {
	order := make([]int, len(infos))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch d := infos[b].Length - infos[a].Length; {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	return order
}

// Verify reads the whole file again and checks every byte: prologue and header against what was opened and its SHA-256,
// padding, heads, each tensor's CRC-32 and SHA-256, and that nothing follows. What it finds comes as a *VerifyError.
func (f *File) Verify() error {
	done, err := f.use()
	if err != nil {
		return err
	}
	defer done()
	report := &VerifyError{Path: f.path, Tensors: len(f.h.Infos)}
	found := func(err error) {
		var e *Error
		if !errors.As(err, &e) { // all of this package's are
			e = &Error{Kind: ErrFault, Cause: err}
		}
		e.Path = f.path
		report.Damage = append(report.Damage, e)
	}
	if err := f.verifyHeader(); err != nil {
		found(err)
	}
	bad := make([][]error, len(f.h.Infos))
	f.each(func(i int, t *Info) {
		if err := f.verifyPadding(i); err != nil {
			bad[i] = append(bad[i], err)
		}
		if err := f.verifyTensor(t); err != nil {
			bad[i] = append(bad[i], err)
		}
	})
	for i, errs := range bad {
		intact := true
		for _, err := range errs {
			found(err)
			intact = intact && report.Damage[len(report.Damage)-1].Tensor == ""
		}
		if intact {
			report.Intact = append(report.Intact, f.h.Infos[i].Name)
		}
	}
	if n, err := f.file.Length(); err != nil {
		found(err)
	} else if err := f.checkSize(n); err != nil {
		found(err)
	}
	if len(report.Damage) > 0 {
		return report
	}
	return nil
}

// verifyHeader reads what Open has read once more.
func (f *File) verifyHeader() error {
	n := int64(len(f.first) + len(f.head))
	b := make([]byte, n)
	if err := f.readAt(b, 0, "prologue and header"); err != nil {
		return err
	}
	if string(b[:header.PrologueLength]) != string(f.first) {
		return &Error{Kind: ErrDamaged, Part: "prologue", Start: 0, End: header.PrologueLength, Detail: "has changed since the file was opened"}
	}
	if string(b[header.PrologueLength:]) != string(f.head) {
		return &Error{Kind: ErrDamaged, Part: "header", Start: header.PrologueLength, End: n, Detail: "has changed since the file was opened"}
	}
	return nil
}

// verifyPadding checks the nil bytes between what lies before the tensor at place i and its bin head.
func (f *File) verifyPadding(i int) error {
	from := header.PrologueLength + int64(len(f.head))
	if i > 0 {
		_, from = f.Range(&f.h.Infos[i-1])
	}
	start, _ := f.Range(&f.h.Infos[i])
	b := make([]byte, start-header.BinHead-from) // less than 128
	part := "padding before " + fault.TensorPart(f.h.Infos[i].Name)
	if err := f.readAt(b, from, part); err != nil {
		return err
	}
	for n, x := range b {
		if x != 0xc0 {
			at := from + int64(n)
			return &Error{Kind: ErrDamaged, Part: part, Start: at, End: at + 1, Detail: fmt.Sprintf("is the byte %02x, want c0", x)}
		}
	}
	return nil
}

// verifyTensor compares the bin head and both checksums.
func (f *File) verifyTensor(t *Info) error {
	start, _ := f.Range(t)
	var bin [header.BinHead]byte
	if err := f.readAt(bin[:], start-header.BinHead, fault.TensorPart(t.Name)); err != nil {
		return f.naming(t, err)
	}
	if err := f.compare(t, bin[:], t.CRC, false); err != nil {
		return err
	}
	return f.verifyData(t)
}

// verifyData compares both checksums of a tensor's data.
func (f *File) verifyData(t *Info) error {
	buf := chunks.Get().(*[chunk]byte)
	defer chunks.Put(buf)
	start, end := f.Range(t)
	crc, sha, bad := uint32(0), sha256.New(), false
	for start < end {
		b := buf[:min(chunk, end-start)]
		if err := f.readAt(b, start, fault.TensorPart(t.Name)); err != nil {
			return f.naming(t, err)
		}
		crc = crc32.Update(crc, b)
		sha.Write(b)
		bad = bad || t.Type == Bool && tensor.BadBool(b) >= 0
		start += int64(len(b))
	}
	if err := f.compareData(t, crc, bad); err != nil {
		return err
	}
	if got := [32]byte(sha.Sum(nil)); got != t.SHA256 {
		return f.fail(ErrDamaged, t, "its SHA-256 is %x, want %x", got, t.SHA256)
	}
	return nil
}
