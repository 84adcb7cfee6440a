package dataset

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Limits on what a file may ask of the reader. Memory stays in proportion to
// the pixels really read; these stop files made to do harm.
const (
	maxHeader   = 1 << 20  // bytes of a header line
	maxLine     = 64 << 20 // bytes of any line: 4096x4096 pixels
	maxColumns  = 10_000   // in a header
	maxPixels   = 1 << 24  // of one image
	maxSet      = 16 << 30 // bytes of pixels of a Set
	maxRatio    = 100      // a zip's member may be this much larger unpacked,
	maxRatioMin = 64 << 20 // once it is larger than this
	maxMembers  = 10_000   // of a zip
	maxPreset   = 1 << 30  // bytes of pixels set aside before they are seen
)

// A source is the text of a CSV, wherever it lies.
type source struct {
	io.Reader
	name  string // as errors call it
	size  int64  // of the text, if the file is not lying; for setting memory aside
	close func() error
}

// openText opens a CSV or the CSV inside a zip.
func openText(file string) (*source, error) {
	f, err := open(file)
	if err != nil {
		return nil, err
	}
	s, err := textOf(f, file)
	if err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

func textOf(f *os.File, file string) (*source, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: found a folder, want a CSV or a zip with one: %w", file, ErrFormat)
	}
	head, err := peek(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	switch kind := sniff(head); kind {
	case "zip":
		return zipText(f, file, info.Size())
	case "text":
		return &source{Reader: f, name: file, size: info.Size(), close: f.Close}, nil
	case "empty":
		return nil, fmt.Errorf("%s: found an empty file, want a CSV or a zip with one: %w", file, ErrEmpty)
	default:
		return nil, fmt.Errorf("%s: found %s, want a CSV or a zip with one: %w", file, kind, ErrFormat)
	}
}

// peek reads a file's beginning and goes back to its start.
func peek(f *os.File) ([]byte, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return head[:n], err
}

// kindOf tells what a path leads to: "folder", or as sniff does.
func kindOf(path string) (string, error) {
	f, err := open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return "folder", nil
	}
	head, err := peek(f)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return sniff(head), nil
}

// sniff tells a kind of file by its first bytes.
func sniff(head []byte) string {
	for _, k := range []struct{ magic, kind string }{
		{"PK\x03\x04", "zip"}, {"PK\x05\x06", "zip"},
		{"\x89PNG\r\n\x1a\n", "png"}, {"\xff\xd8\xff", "jpeg"}, {"\x93NUMPY", "npy"},
		{"\x1f\x8b", "a gzip file"}, {"GIF8", "a GIF picture"}, {"BM", "a BMP picture"},
		{"\xfd7zXZ\x00", "an xz file"}, {"7z\xbc\xaf\x27\x1c", "a 7z file"}, {"%PDF", "a PDF file"},
		{"\xff\xfe", "UTF-16 text"}, {"\xfe\xff", "UTF-16 text"},
	} {
		if bytes.HasPrefix(head, []byte(k.magic)) && (k.magic != "BM" || bytes.IndexByte(head, 0) >= 0) {
			return k.kind
		}
	}
	switch {
	case len(bytes.TrimPrefix(head, bom)) == 0:
		return "empty"
	case bytes.HasPrefix(head, []byte("RIFF")) && len(head) >= 12 && string(head[8:12]) == "WEBP":
		return "a WebP picture"
	case bytes.IndexByte(head, 0) >= 0:
		return "a binary file"
	}
	return "text"
}

var bom = []byte("\xef\xbb\xbf")

// zipText opens the one CSV of a zip: the only one there is, or among several
// the one that is called like the zip.
func zipText(f *os.File, file string, size int64) (*source, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: found a damaged zip: %w", file, err)
	}
	if len(z.File) > maxMembers {
		return nil, fmt.Errorf("%s: found a zip of %d members, want at most %d: %w", file, len(z.File), maxMembers, ErrLimit)
	}
	m, err := csvMember(z.File, file)
	if err != nil {
		return nil, err
	}
	name := file + ":" + m.Name
	r, err := m.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, fmt.Errorf("%s: found compression method %d, want 0 (stored) or 8 (deflate): %w", name, m.Method, ErrFormat)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: found a damaged zip: %w", name, err)
	}
	// The header's own sizes may lie; deflate makes at most 1032 bytes of one.
	packed := min(m.CompressedSize64, uint64(size))
	text := min(m.UncompressedSize64, packed*1032)
	limit := int64(max(packed*maxRatio, maxRatioMin))
	return &source{
		Reader: &unpacked{r: r, name: name, limit: limit},
		name:   name,
		size:   int64(text),
		close:  func() error { return errors.Join(r.Close(), f.Close()) },
	}, nil
}

func csvMember(files []*zip.File, file string) (*zip.File, error) {
	var csvs []*zip.File
	var all []string
	for _, m := range files {
		base := path.Base(m.Name)
		if strings.HasSuffix(m.Name, "/") || strings.HasPrefix(m.Name, "__MACOSX/") || strings.HasPrefix(base, "._") {
			continue
		}
		if len(all) < 6 {
			all = append(all, m.Name)
		}
		if strings.EqualFold(path.Ext(base), ".csv") {
			csvs = append(csvs, m)
		}
	}
	switch len(csvs) {
	case 1:
		return csvs[0], nil
	case 0:
		have := "nothing"
		if len(all) > 0 {
			have = strings.Join(all, ", ")
		}
		return nil, fmt.Errorf("%s: found %s in the zip, want a .csv: %w", file, have, ErrFormat)
	}
	stem := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	var named []*zip.File
	for _, m := range csvs {
		base := path.Base(m.Name)
		if strings.EqualFold(strings.TrimSuffix(base, path.Ext(base)), stem) {
			named = append(named, m)
		}
	}
	if len(named) == 1 {
		return named[0], nil
	}
	return nil, fmt.Errorf("%s: found %d .csv files in the zip (%s, ...), want one, or one called %s.csv: %w",
		file, len(csvs), csvs[0].Name, stem, ErrFormat)
}

// unpacked is a zip's member being read, with a limit on what it may become and
// its damages named.
type unpacked struct {
	r     io.Reader
	name  string
	n     int64
	limit int64
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.n += int64(n)
	switch {
	case u.n > u.limit:
		return n, fmt.Errorf("%s: found more than %d bytes when unpacked, want at most %d times the packed size: %w",
			u.name, u.limit, maxRatio, ErrLimit)
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(err, zip.ErrChecksum):
		return n, fmt.Errorf("%s: found a wrong CRC-32, the zip is damaged: %w", u.name, err)
	default:
		return n, fmt.Errorf("%s: found a damaged zip at byte %d of the text: %w", u.name, u.n, err)
	}
}
