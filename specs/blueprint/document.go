package blueprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/fkzoo/fkzoo/specs/record"
)

// Version is the newest version of the document that this package reads, and
// the one that it writes.
const Version = 1

// MaxBytes limits a document's JSON text. net11's is under 8 KiB.
const MaxBytes = 4 << 20

// ErrVersion is returned for a document of a newer version.
var ErrVersion = errors.New("newer blueprint version")

// Document describes one architecture. Fields that this version doesn't know
// are kept in Extra, here and in every part, and written back.
type Document struct {
	Version int      `json:"blueprint"`         // the document's version, 1
	Name    string   `json:"name"`              // 1 to 64 of a-z, 0-9, "_", "." and "-", with a letter or digit at both ends
	Summary string   `json:"summary,omitempty"` // one line for people
	Source  string   `json:"source,omitempty"`  // where the layout comes from: a paper, a report, a file
	Input   Input    `json:"input"`             // the image that every member takes
	Members []Member `json:"members"`           // 1 to 64 networks
	Extra   Extra    `json:"-"`
}

// Input is the image that every member takes: Height x Width x Channels values.
type Input struct {
	Height   int    `json:"height"`            // pixels
	Width    int    `json:"width"`             // pixels
	Channels int    `json:"channels"`          // 1: grey
	Scaling  string `json:"scaling,omitempty"` // one of [Scalings]; the default is "unit"
	Extra    Extra  `json:"-"`
}

// Member is one network of an architecture.
type Member struct {
	Name    string   `json:"name"`             // 1 to 128 letters, digits, "_", "." and "-"; no other member's
	Columns []string `json:"columns"`          // the outputs in order; ["*"]: all of the data's
	Layers  []Layer  `json:"layers"`           // in an order in which they can be computed
	Output  Output   `json:"output,omitzero"`  // where the answer is, and what it means
	Weight  float64  `json:"weight,omitempty"` // in the mean of a column that several members give; 0 stands for 1
	Recipe  Recipe   `json:"recipe"`           // how it is trained
	Extra   Extra    `json:"-"`
}

// AllColumns as the only entry of [Member.Columns] stands for all of the data's.
const AllColumns = "*"

// Output says which layer gives a member's answer y, and what it means: of points, of shape [columns], pixels = y*Scale + Offset + Shift;
// of boxes, a [Grid].
type Output struct {
	Kind        string       `json:"kind,omitempty"`         // one of [Outputs]; the default is "points"
	Layer       string       `json:"layer,omitempty"`        // "": the last one
	Scale       float64      `json:"scale,omitempty"`        // pixels; 0: half of the input's width
	Offset      float64      `json:"offset,omitempty"`       // pixels; 0 without a scale: half of the input's width
	Shift       []float64    `json:"shift,omitempty"`        // pixels, one for each of the member's columns, added to answers and unknown to training; none: 0. What recipe.calibrate finds
	Uncertainty *Uncertainty `json:"uncertainty,omitempty"`  // how far off answers are expected to be; nil: that isn't known. What training finds on the rows held out
	FlipAverage bool         `json:"flip_average,omitempty"` // unless the user says otherwise, the mean with the answer for the mirror image is given; the default is false
	Extra       Extra        `json:"-"`
}

// Uncertainty says how far off a member's answers are expected to be: for each of its columns a line of straight pieces through points of a
// signal, which From names, and an error, both in pixels; see [Uncertainty.Expected]. Both coordinates of a point have the same, of their
// distance from the truth.
type Uncertainty struct {
	From   string      `json:"from"`   // one of [Signals]
	Signal [][]float64 `json:"signal"` // for each of the member's columns where its line bends, rising
	Error  [][]float64 `json:"error"`  // and the error expected there, never falling
	Extra  Extra       `json:"-"`
}

// Layer is one node of a member's graph. Its settings, those that its kind
// has in [Kinds], stand beside name, kind and inputs in the JSON object.
type Layer struct {
	Name     string
	Kind     string
	Inputs   []string // names of earlier layers or [InputName]; nil: the layer before, or the input for the first
	Settings Settings // only what was given; defaults are the table's
	Extra    Extra
}

// InputName is the name by which layers refer to the image.
const InputName = "input"

// Extra holds the fields of an object that this version doesn't know.
type Extra map[string]json.RawMessage

// Parse reads a document (UTF-8, a byte-order mark is passed over) and checks
// all but what depends on the data's columns: that the layers' shapes fit is
// left to [Document.Validate]. A field given twice, a null, and anything over
// the package's limits are refused. The error names the place, what was found
// and what was wanted; of a newer version it is [ErrVersion].
func Parse(data []byte) (*Document, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("blueprint: found %d bytes, want at most %d", len(data), MaxBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, errors.New("blueprint: found text that is not UTF-8, want JSON in UTF-8")
	}
	if err := record.Scan(data, limits); err != nil {
		return nil, fmt.Errorf("blueprint: %w", err)
	}
	if err := checkVersion(data); err != nil {
		return nil, fmt.Errorf("blueprint: %w", err)
	}
	d := new(Document)
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("blueprint: %w", err)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("blueprint %q: %w", d.Name, err)
	}
	return d, nil
}

// checkVersion looks at the version alone, since another one may have other fields.
func checkVersion(data []byte) error {
	var any struct {
		Extra Extra `json:"-"`
	}
	if err := record.UnmarshalJSON(data, &any); err != nil {
		return fmt.Errorf("not a JSON document: %w", err)
	}
	raw, ok := any.Extra["blueprint"]
	if !ok {
		return errors.New(`no field "blueprint", want the document's version there`)
	}
	var v float64
	if err := json.Unmarshal(raw, &v); err != nil || v != math.Trunc(v) || v < 1 {
		return fmt.Errorf(`field "blueprint": found %s, want the document's version, %d`, short(raw), Version)
	}
	if v > Version {
		return fmt.Errorf("%w: found %s, want at most %d: a newer fkzoo reads it", ErrVersion, short(raw), Version)
	}
	return nil
}

// JSON gives the document's text, indented, the same bytes for the same
// document: those of a document built in Go and of its parsed text, too.
func (d *Document) JSON() ([]byte, error) {
	b, err := record.Text(d)
	if err != nil {
		return nil, fmt.Errorf("blueprint %q: %w", d.Name, err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return nil, fmt.Errorf("blueprint %q: %w", d.Name, err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Clone gives a deep copy.
func (d *Document) Clone() *Document { return deepCopy(d) }

// Resolve gives a copy in which every member's columns are spelled out for
// data of these columns, as a model file keeps it.
func (d *Document) Resolve(columns []string) (*Document, error) {
	if err := d.Validate(columns); err != nil {
		return nil, err
	}
	c := d.Clone()
	for i := range c.Members {
		c.Members[i].Columns = slices.Clone(c.Members[i].ColumnsOf(columns))
	}
	return c, nil
}

// Columns gives the columns that the members together answer, in the order of
// data of these columns, or, for a resolved document (columns nil), in the
// order of the members.
func (d *Document) Columns(columns []string) []string {
	given := map[string]bool{}
	var order []string
	for i := range d.Members {
		for _, c := range d.Members[i].ColumnsOf(columns) {
			if !given[c] {
				given[c] = true
				order = append(order, c)
			}
		}
	}
	if columns == nil {
		return order
	}
	order = order[:0]
	for _, c := range columns {
		if given[c] {
			order = append(order, c)
		}
	}
	return order
}

// ColumnsOf gives the member's columns for data that has these.
func (m *Member) ColumnsOf(columns []string) []string {
	if len(m.Columns) == 1 && m.Columns[0] == AllColumns {
		return columns
	}
	return m.Columns
}

// Mirror says how the member's answers for mirror images are turned back: as its recipe mirrors faces, or else as follows
// from its columns' names.
func (m *Member) Mirror() *Mirror {
	if a := m.Recipe.Augment; a != nil && a.Mirror != nil {
		return a.Mirror
	}
	return &Mirror{}
}

// MeanWeight is the member's weight in a mean over members.
func (m *Member) MeanWeight() float64 {
	if m.Weight == 0 {
		return 1
	}
	return m.Weight
}

// Affine gives scale and offset of pixels = y*scale + offset, defaults filled in, without output.shift.
func (m *Member) Affine(in Input) (scale, offset float64) {
	scale, offset = m.Output.Scale, m.Output.Offset
	if scale == 0 {
		scale = float64(in.Width) / 2
	}
	if offset == 0 && m.Output.Scale == 0 {
		offset = float64(in.Width) / 2
	}
	return scale, offset
}

// Parameters is the number of trainable parameters of all members for data of
// these columns.
func (d *Document) Parameters(columns []string) (int64, error) {
	var sum int64
	for i := range d.Members {
		p, err := NewPlan(d, i, columns)
		if err != nil {
			return 0, err
		}
		sum += p.Parameters()
	}
	return sum, nil
}

// Validate checks the document against data of these columns: every member's
// columns are among them, its layers fit together, its output has one value
// per column, and its recipe can be followed.
func (d *Document) Validate(columns []string) error {
	if err := d.check(); err != nil {
		return fmt.Errorf("blueprint %q: %w", d.Name, err)
	}
	for i := range d.Members {
		if _, err := newPlan(d, i, columns); err != nil {
			return err
		}
	}
	return nil
}

// UnknownFields lists the fields that this version doesn't know, as paths.
// They are kept but have no effect, so whoever shows a plugin's blueprint
// should say so: a misspelled setting looks the same.
func (d *Document) UnknownFields() []string {
	var out []string
	add := func(path string, e Extra) {
		for _, k := range sortedKeys(e) {
			out = append(out, path+printable(k))
		}
	}
	add("", d.Extra)
	add("input.", d.Input.Extra)
	for i := range d.Members {
		m := &d.Members[i]
		at := "members." + m.Name + "."
		add(at, m.Extra)
		add(at+"output.", m.Output.Extra)
		if m.Output.Uncertainty != nil {
			add(at+"output.uncertainty.", m.Output.Uncertainty.Extra)
		}
		for _, l := range m.Layers {
			add(at+"layers."+l.Name+".", l.Extra)
		}
		m.Recipe.unknown(at+"recipe", add)
	}
	return out
}
