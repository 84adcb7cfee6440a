package format

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/header"
	"github.com/fkzoo/fkzoo/format/sign"
	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/internal/crc32"
)

// ErrExists is what a refusal to replace an existing file matches.
var ErrExists = atomicfile.ErrExists

// Options for writing.
type Options struct {
	Force bool // replace an existing file, which is refused with ErrExists otherwise
}

// Write makes the model file at path, atomically: after an error or a crash whatever was there is there still.
// Tensors are stored sorted by name, so that equal content gives equal bytes; their Data must not change meanwhile.
// Signatures in m.Extra that are not of this content are dropped. What cannot be stored is refused with ErrValue or ErrLimit.
func Write(path string, m Meta, tensors []Tensor, o Options) error {
	fields, err := m.fields()
	if err != nil {
		return fault.At(path, err)
	}
	sorted := slices.Clone(tensors)
	slices.SortFunc(sorted, func(a, b Tensor) int { return cmp.Compare(a.Name, b.Name) })
	h, err := describe(fields, sorted)
	if err != nil {
		return fault.At(path, err)
	}
	hashed := h.Raw(header.SignaturesField) != nil
	if hashed {
		// Whether a signature stays, and so the header's length, depends on the checksums.
		hashAll(h.Infos, sorted)
		if err := sign.Settle(h); err != nil {
			return fault.At(path, err)
		}
	}
	head, err := h.Encode()
	if err != nil {
		return fault.At(path, err)
	}
	f, err := atomicfile.Create(path, o.Force)
	if err != nil {
		return err
	}
	defer f.Discard()
	if hashed {
		err = writeTensors(f, head, h.Infos, sorted)
	} else {
		head, err = writeHashing(f, head, h, sorted)
	}
	if err == nil {
		_, err = f.WriteAt(append(header.Prologue(head), head...), 0)
	}
	var e *Error
	if errors.As(err, &e) {
		return fault.At(path, err)
	} else if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Commit()
}

// writeHashing writes the tensors and computes their checksums at once, and gives the header with these.
//
// The checksums come first in the file, but are known last. The tensors are written to where they will lie if every
// CRC-32 takes five bytes in the header, as describe has it, and behind a header that already has the right length: what
// is left to be synced in the end is that header alone.
func writeHashing(f *atomicfile.File, head []byte, h *header.Header, tensors []Tensor) ([]byte, error) {
	hashed := make(chan struct{})
	infos := slices.Clone(h.Infos)
	go func() {
		defer close(hashed)
		hashAll(infos, tensors)
	}()
	err := writeTensors(f, head, h.Infos, tensors)
	select {
	case <-hashed:
	default:
		if err == nil {
			err = f.SyncData() // while the hashing goes on
		}
		<-hashed
	}
	if err != nil {
		return nil, err
	}
	guess := header.LayoutOf(head, h.Infos)
	h.Infos = infos
	if head, err = h.Encode(); err != nil {
		return nil, err
	}
	if header.LayoutOf(head, h.Infos) == guess {
		return head, nil
	}
	// A CRC-32 below 65536: one in 65,536 is.
	if err := writeTensors(f, head, h.Infos, tensors); err != nil {
		return nil, err
	}
	return head, f.Truncate(header.EndOf(head, h.Infos))
}

// describe checks the tensors and makes a header of them, with the checksums still missing.
func describe(fields []header.Field, tensors []Tensor) (*header.Header, error) {
	if len(tensors) > MaxTensors {
		return nil, &Error{Kind: ErrLimit, Part: "index", Detail: fmt.Sprintf("has %d tensors, at most %d are allowed", len(tensors), MaxTensors)}
	}
	h := &header.Header{Fields: fields, Infos: make([]Info, len(tensors))}
	for i := range tensors {
		x := &tensors[i]
		if err := x.Check(); err != nil {
			return nil, err
		}
		if i > 0 && x.Name == tensors[i-1].Name {
			return nil, &Error{Kind: ErrValue, Part: fault.TensorPart(x.Name), Tensor: x.Name, Detail: "is there twice"}
		}
		h.Infos[i] = Info{Name: x.Name, Type: x.Type, Shape: slices.Clone(x.Shape), Length: int64(len(x.Data))}
		if len(x.Data) > 0 {
			h.Infos[i].CRC = math.MaxUint32
		}
		if err := h.Infos[i].SetExtra(x.Extra); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// hashAll fills in both checksums of each tensor, on all processors.
func hashAll(infos []Info, tensors []Tensor) {
	order := bySize(infos)
	var at atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(order)) {
		wg.Go(func() {
			for n := at.Add(1) - 1; n < int64(len(order)); n = at.Add(1) - 1 {
				i := order[n]
				infos[i].CRC, infos[i].SHA256 = hashes(tensors[i].Data)
			}
		})
	}
	wg.Wait()
}

func hashes(data []byte) (uint32, [32]byte) {
	crc, sha := uint32(0), sha256.New()
	for len(data) > 0 {
		b := data[:min(chunk, len(data))]
		crc = crc32.Update(crc, b)
		sha.Write(b)
		data = data[len(b):]
	}
	return crc, [32]byte(sha.Sum(nil))
}

// writeTensors writes all of a file, with whatever is in head.
func writeTensors(f *atomicfile.File, head []byte, infos []Info, tensors []Tensor) error {
	if err := f.Reserve(header.EndOf(head, infos)); err != nil {
		return err
	}
	pos := header.PrologueLength + int64(len(head))
	base := header.RoundUp(pos)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w := bufio.NewWriterSize(&flusher{f: f}, 1<<16)
	for _, b := range [][]byte{header.Prologue(head), head} {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	for i := range infos {
		if err := pad(w, base+infos[i].Offset-header.BinHead-pos); err != nil {
			return err
		}
		bin := header.BinHeadOf(infos[i].Length)
		if _, err := w.Write(bin[:]); err != nil {
			return err
		}
		if _, err := w.Write(tensors[i].Data); err != nil {
			return err
		}
		pos = base + infos[i].Offset + infos[i].Length
	}
	return w.Flush()
}

// flusher writes piece by piece, and has each piece on its way to the disk while the next one is copied and hashed.
type flusher struct {
	f   *atomicfile.File
	pos int64
}

func (w *flusher) Write(b []byte) (int, error) {
	const piece = 4 << 20
	done := 0
	for done < len(b) {
		n, err := w.f.Write(b[done:min(len(b), done+piece)])
		w.f.Flush(w.pos, int64(n))
		done += n
		w.pos += int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// pad writes n nil bytes; n is less than 128.
func pad(w io.Writer, n int64) error {
	var b [2 * header.Align]byte
	for i := range b {
		b[i] = 0xc0
	}
	_, err := w.Write(b[:n])
	return err
}

// Rewrite makes at path a file with the tensors of f and other metadata. The tensors' bytes are copied as they are (by the
// kernel where it can), in their order and with their checksums and unknown fields; they are not verified on the way.
// Signatures in m.Extra are dropped where digest or provenance are no longer f's and they are not of what is there now.
// Path may be f's own, with Force (on Windows only after Close, so not there).
func (f *File) Rewrite(path string, m Meta, o Options) error {
	fields, err := m.fields()
	if err != nil {
		return fault.At(path, err)
	}
	done, err := f.use()
	if err != nil {
		return err
	}
	defer done()
	h := &header.Header{Fields: fields, Infos: slices.Clone(f.h.Infos)}
	if !sign.Same(h, f.h) {
		if err := sign.Settle(h); err != nil {
			return fault.At(path, err)
		}
	}
	head, err := h.Encode()
	if err != nil {
		return fault.At(path, err)
	}
	out, err := atomicfile.Create(path, o.Force)
	if err != nil {
		return err
	}
	defer out.Discard()
	if err := f.copyTensors(out.File, h, head); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return out.Commit()
}

// copyTensors writes a file with this header and f's tensors. From the first bin head on, both files have the same bytes.
func (f *File) copyTensors(out io.Writer, h *header.Header, head []byte) error {
	if _, err := out.Write(append(header.Prologue(head), head...)); err != nil {
		return err
	}
	if len(h.Infos) == 0 {
		return nil
	}
	pos := header.PrologueLength + int64(len(head))
	if err := pad(out, header.RoundUp(pos)+h.Infos[0].Offset-header.BinHead-pos); err != nil {
		return err
	}
	start, _ := f.Range(&f.h.Infos[0])
	start -= header.BinHead
	want := f.end() - start
	from := io.Reader(io.NewSectionReader(f.file, start, want))
	if d, ok := f.file.(disk); ok {
		// The kernel copies from the place where the file stands, which nothing else uses.
		f.place.Lock()
		defer f.place.Unlock()
		if _, err := d.Seek(start, io.SeekStart); err != nil {
			return err
		}
		from = io.LimitReader(d.File, want)
	}
	n, err := io.Copy(out, from)
	if err == nil && n != want {
		return &Error{Kind: ErrTruncated, Path: f.path, Start: start, End: start + want, Detail: fmt.Sprintf("ends after %d bytes", start+n)}
	}
	return err
}
