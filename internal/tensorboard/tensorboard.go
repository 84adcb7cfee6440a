// Package tensorboard writes event files that TensorBoard shows: numbers by step. It knows nothing of what they are of.
//
// A file is a sequence of records as TensorFlow's record_writer.h describes them: the length (uint64, little-endian), its
// masked CRC-32C, the data, its masked CRC-32C. The data is a protocol buffer of the type tensorflow.Event.
package tensorboard

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
const (
	eventWallTime    = 1 // double, seconds since 1970
	eventStep        = 2 // int64
	eventFileVersion = 3 // string
	eventSummary     = 5 // Summary
	eventSessionLog  = 7 // SessionLog
	summaryValue     = 1 // repeated Value
	valueTag         = 1 // string
	valueSimple      = 2 // float
	sessionStatus    = 1 // enum
	sessionStart     = 1 // START
)

// Scalar is a number under a name; a slash in the name makes groups.
type Scalar struct {
	Tag   string
	Value float64 // kept as float32
}

// Writer appends to one event file. It must not be used from several goroutines at once.
type Writer struct{ file *os.File }

// Create begins a new event file in a folder, which is made where it isn't there. Several files in one folder are shown
// as one run.
func Create(folder string) (*Writer, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	now := time.Now()
	for n := range 1000 {
		// TensorBoard reads files in the order of their names.
		name := fmt.Sprintf("events.out.tfevents.%010d.fkzoo.%d.%d", now.Unix(), os.Getpid(), n)
		f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		w := &Writer{f}
		version := protowire.AppendTag(nil, eventFileVersion, protowire.BytesType)
		if err := w.event(now, 0, protowire.AppendString(version, "brain.Event:2")); err != nil {
			_ = f.Close()
			return nil, err
		}
		return w, nil
	}
	return nil, fmt.Errorf("%s: found no free name for an event file", folder)
}

// Path is the file's.
func (w *Writer) Path() string { return w.file.Name() }

// Restart tells that what earlier files of the folder say of this step and later ones no longer holds.
func (w *Writer) Restart(at time.Time, step int64) error {
	log := protowire.AppendVarint(protowire.AppendTag(nil, sessionStatus, protowire.VarintType), sessionStart)
	return w.event(at, step, protowire.AppendBytes(protowire.AppendTag(nil, eventSessionLog, protowire.BytesType), log))
}

// Scalars writes numbers of one step.
func (w *Writer) Scalars(at time.Time, step int64, values ...Scalar) error {
	var summary []byte
	for _, v := range values {
		one := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), v.Tag)
		one = protowire.AppendFixed32(protowire.AppendTag(one, valueSimple, protowire.Fixed32Type), math.Float32bits(float32(v.Value)))
		summary = protowire.AppendBytes(protowire.AppendTag(summary, summaryValue, protowire.BytesType), one)
	}
	return w.event(at, step, protowire.AppendBytes(protowire.AppendTag(nil, eventSummary, protowire.BytesType), summary))
}

// Close ends the file.
func (w *Writer) Close() error { return w.file.Close() }

// event writes one event, whose content is a field with its tag, in one call:
// readers never wait for the rest of a record for long.
func (w *Writer) event(at time.Time, step int64, content []byte) error {
	seconds := float64(at.UnixNano()) / 1e9
	e := protowire.AppendFixed64(protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type), math.Float64bits(seconds))
	e = protowire.AppendVarint(protowire.AppendTag(e, eventStep, protowire.VarintType), uint64(step))
	_, err := w.file.Write(record(append(e, content...)))
	return err
}

func record(data []byte) []byte {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	out := binary.LittleEndian.AppendUint32(length, masked(length))
	out = append(out, data...)
	return binary.LittleEndian.AppendUint32(out, masked(data))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the CRC rotated right by 15 bits plus a constant: TensorFlow's crc32c.h.
func masked(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
