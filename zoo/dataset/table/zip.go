package table

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// Limits on a zip.
const (
	maxRatio    = 100      // a member may be this much larger unpacked,
	maxRatioMin = 64 << 20 // once it is larger than this
	maxMembers  = 10_000
)

// zipText opens the one CSV of a zip: the only one there is, or among several
// the one that is called like the zip.
func zipText(f input.Handle, file string, size int64) (*text, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: found a damaged zip: %w", file, err)
	}
	if len(z.File) > maxMembers {
		return nil, fmt.Errorf("%s: found a zip of %d members, want at most %d: %w", file, len(z.File), maxMembers, dataset.ErrLimit)
	}
	m, others, err := csvMember(z.File, file)
	if err != nil {
		return nil, err
	}
	name := file + ":" + m.Name
	r, err := m.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, fmt.Errorf("%s: found compression method %d, want 0 (stored) or 8 (deflate): %w", name, m.Method, dataset.ErrFormat)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: found a damaged zip: %w", name, err)
	}
	// The header's own sizes may lie; deflate makes at most 1032 bytes of one.
	packed := min(m.CompressedSize64, uint64(size))
	unpackedSize := min(m.UncompressedSize64, packed*1032)
	limit := int64(max(packed*maxRatio, maxRatioMin))
	t := &text{
		Reader: &unpacked{r: r, name: name, limit: limit},
		name:   name,
		size:   int64(unpackedSize),
		close:  func() error { return errors.Join(r.Close(), f.Close()) },
	}
	if len(others) > 0 {
		t.notes = []dataset.Note{dataset.Passed(dataset.PassedFiles, file, others, "of a zip one .csv is read")}
	}
	return t, nil
}

// csvMember finds it, and names the other members.
func csvMember(files []*zip.File, file string) (csv *zip.File, others []string, err error) {
	var csvs []*zip.File
	var all []string
	for _, m := range files {
		base := path.Base(m.Name)
		if strings.HasSuffix(m.Name, "/") || strings.HasPrefix(m.Name, "__MACOSX/") || strings.HasPrefix(base, "._") {
			continue
		}
		all = append(all, m.Name)
		if strings.EqualFold(path.Ext(base), ".csv") {
			csvs = append(csvs, m)
		}
	}
	if len(csvs) == 0 {
		have := "nothing"
		if len(all) > 0 {
			have = strings.Join(all[:min(6, len(all))], ", ")
		}
		return nil, nil, fmt.Errorf("%s: found %s in the zip, want a .csv: %w", file, have, dataset.ErrFormat)
	}
	stem := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	named := csvs
	if len(csvs) > 1 {
		named = slices.DeleteFunc(slices.Clone(csvs), func(m *zip.File) bool {
			base := path.Base(m.Name)
			return !strings.EqualFold(strings.TrimSuffix(base, path.Ext(base)), stem)
		})
	}
	if len(named) != 1 {
		return nil, nil, fmt.Errorf("%s: found %d .csv files in the zip (%s, ...), want one, or one called %s.csv: %w",
			file, len(csvs), csvs[0].Name, stem, dataset.ErrFormat)
	}
	others = slices.DeleteFunc(all, func(name string) bool { return name == named[0].Name })
	return named[0], others, nil
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
			u.name, u.limit, maxRatio, dataset.ErrLimit)
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(err, zip.ErrChecksum):
		return n, fmt.Errorf("%s: found a wrong CRC-32, the zip is damaged: %w", u.name, err)
	default:
		return n, fmt.Errorf("%s: found a damaged zip at byte %d of the text: %w", u.name, u.n, err)
	}
}
