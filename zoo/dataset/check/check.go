// Package check finds the faults of a data set: what is missing, double, swapped,
// outside its image, or far from where a model sees it.
//
// It knows sets and, of networks, only answers that others computed: not how data
// is read, how findings are shown, or how a network runs.
package check

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/mirror"
	"github.com/fkzoo/fkzoo/zoo/dataset/twins"
)

// Severities, the worst first.
const (
	Error   = "error"   // a training on it can't mean anything
	Warning = "warning" // worth a look
)

// Kinds of findings.
const (
	Untrainable   = "untrainable"
	ConstantCol   = "constant column"
	NoComplete    = "no complete row"
	Leaked        = "test face in training"
	Conflict      = "conflicting labels"
	Duplicate     = "duplicate"
	NearDuplicate = "near-duplicate"
	Blank         = "blank image"
	Swapped       = "left and right swapped"
	Outside       = "point outside"
	Far           = "far from the model"
	Axis          = "mirror axis"
)

// A Report is what was found in a set.
type Report struct {
	Source   string      `json:"source"`
	Checksum string      `json:"checksum"`
	Rows     int         `json:"rows"`
	Complete int         `json:"complete"` // rows with every column filled
	Columns  []Column    `json:"columns"`
	Axis     AxisFound   `json:"mirror_axis"`
	Noise    *LabelNoise `json:"label_noise,omitempty"` // where a model answered and rows have nearly the same image
	Test     *Test       `json:"test,omitempty"`
	Findings []Finding   `json:"findings"` // the worst first
	answers  *Answers
}

// A Column counts a column's cells.
type Column struct {
	Name     string `json:"name"`
	Filled   int    `json:"filled"`
	Missing  int    `json:"missing"`
	Outside  int    `json:"outside"` // of the image
	Constant bool   `json:"constant"`
}

// AxisFound is the axis of the labels' mirror: x becomes Axis - x.
type AxisFound struct {
	Axis   float64  `json:"axis"`   // pixels
	Error  float64  `json:"error"`  // its standard error
	From   string   `json:"from"`   // see [mirror.Axis]
	Points *float64 `json:"points"` // what the points alone say; null where they say nothing
	Width  int      `json:"width"`  // of the images: the axis that labels exactly on their features have
}

// Test says what a test set shares with the training set.
type Test struct {
	Source string `json:"source"`
	Rows   int    `json:"rows"`
	Leaked int    `json:"leaked"` // rows whose image, or nearly it, is among those to train on
	Exact  int    `json:"exact"`  // of these, with the same pixels
}

// A Finding is a fault and the rows that have it.
type Finding struct {
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Count    int    `json:"count"` // of rows, or of columns for those about columns
	Text     string `json:"text"`  // a line for people
	Rows     []Row  `json:"rows"`  // the worst first, at most mostRows
}

// mostRows is how many rows a finding lists.
const mostRows = 200

// A Row is one row that a finding is about.
type Row struct {
	Row     int      `json:"row"` // from 0, in the set, or in the test set for a leaked face
	ID      string   `json:"id"`
	Test    bool     `json:"test,omitempty"`
	Text    string   `json:"text"`
	Score   float64  `json:"score"`             // how bad, comparable within its finding
	Columns []string `json:"columns,omitempty"` // the cells meant
	Other   *Other   `json:"other,omitempty"`   // the row that it is like
}

// An Other is the row of the training set that a row is like.
type Other struct {
	Row         int     `json:"row"`
	ID          string  `json:"id"`
	Mirrored    bool    `json:"mirrored,omitempty"`
	Bits        int     `json:"bits"`        // of 255, by which the images' hashes differ
	Correlation float64 `json:"correlation"` // of the aligned images
}

// Answers are what a model says about the set.
type Answers struct {
	Columns []string
	Points  []float32 // [rows, columns], pixels of the set's images
}

// Options of a check.
type Options struct {
	Test    *dataset.Set // nil: none
	Answers *Answers     // nil: none
}

// Failed tells whether there is an error among the findings.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == Error })
}

// Run checks a set.
func Run(ctx context.Context, s *dataset.Set, o Options) (*Report, error) {
	if len(s.Columns) == 0 {
		return nil, fmt.Errorf("%s: found no columns with coordinates, want training data", s.Source)
	}
	if o.Test != nil && (o.Test.Height != s.Height || o.Test.Width != s.Width) {
		return nil, fmt.Errorf("%s: found images of %dx%d, want %dx%d as in %s", o.Test.Source, o.Test.Width, o.Test.Height, s.Width, s.Height, s.Source)
	}
	summary := s.Summary()
	r := &Report{Source: s.Source, Checksum: s.Checksum, Rows: s.Len(), Complete: summary.Complete, Findings: []Finding{}, answers: o.Answers}
	r.columns(s, summary)
	r.trainable(s)
	f, err := twins.NewFaces(ctx, s)
	if err != nil {
		return nil, err
	}
	if o.Test != nil {
		if err := r.leaks(ctx, f, o.Test); err != nil {
			return nil, err
		}
	}
	if err := r.duplicates(ctx, f); err != nil {
		return nil, err
	}
	r.blank(f)
	r.swapped(s)
	r.outside(s)
	r.far(s)
	r.axis(s)
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(a.Severity, b.Severity) })
	return r, nil
}

// add keeps a finding, its rows sorted by how bad they are.
func (r *Report) add(kind, severity, text string, rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(b.Score, a.Score) })
	n := len(rows)
	rows = rows[:min(n, mostRows)]
	if rows == nil {
		rows = []Row{}
	}
	r.Findings = append(r.Findings, Finding{kind, severity, n, text, rows})
}

func (r *Report) columns(s *dataset.Set, summary *dataset.Summary) {
	var constant []string
	for i, c := range summary.Columns {
		column := Column{Name: c.Name, Filled: c.Filled, Missing: r.Rows - c.Filled, Constant: c.Filled == 0 || c.Filled > 1 && c.Min == c.Max}
		for row := range r.Rows {
			if isOutside(s, c.Name, s.Row(row)[i]) {
				column.Outside++
			}
		}
		if column.Constant {
			constant = append(constant, c.Name)
		}
		r.Columns = append(r.Columns, column)
	}
	if len(constant) > 0 {
		r.add(ConstantCol, Warning, fmt.Sprintf("%s with one value, or none, in all rows: %s", count(len(constant), "column"), list(constant)), nil)
		r.Findings[len(r.Findings)-1].Count = len(constant)
	}
	if r.Complete == 0 && r.Rows > 0 {
		r.add(NoComplete, Warning, "no row has every column filled: a recipe that takes complete rows only can't be trained on all columns", nil)
	}
}

// trainable uses the rule that training uses, on the rows with any column filled.
func (r *Report) trainable(s *dataset.Set) {
	var rows []int
	for i := range s.Len() {
		if slices.ContainsFunc(s.Row(i), func(v float32) bool { return v == v }) {
			rows = append(rows, i)
		}
	}
	if err := s.CheckTrainable(s.Columns, rows); err != nil {
		r.add(Untrainable, Error, strings.TrimPrefix(err.Error(), s.Source+": "), nil)
	}
}

func (r *Report) leaks(ctx context.Context, f *twins.Faces, test *dataset.Set) error {
	t, err := twins.NewFaces(ctx, test)
	if err != nil {
		return err
	}
	found, err := t.Among(ctx, f)
	if err != nil {
		return err
	}
	r.Test = &Test{Source: test.Source, Rows: test.Len(), Leaked: len(found)}
	var rows []Row
	for _, w := range found {
		if w.Exact {
			r.Test.Exact++
		}
		row := twin(w, test, f.Set())
		row.Test = true
		rows = append(rows, row)
	}
	if len(rows) > 0 {
		r.add(Leaked, Warning, fmt.Sprintf("%d of %s are, or nearly are, among those to train on, %d with the same pixels: an error measured on them says little",
			len(rows), count(test.Len(), "test face"), r.Test.Exact), rows)
	}
	return nil
}

// twin is one as a finding has it.
func twin(w twins.Twin, s, others *dataset.Set) Row {
	text := "nearly "
	if w.Exact {
		text = "same as "
	}
	if w.Mirrored {
		text += "mirrored "
	}
	return Row{Row: w.Row, ID: s.IDs[w.Row], Text: text + others.IDs[w.Other], Score: w.Correlation,
		Other: &Other{w.Other, others.IDs[w.Other], w.Mirrored, w.Bits, w.Correlation}}
}

func (r *Report) duplicates(ctx context.Context, f *twins.Faces) error {
	found, err := f.Among(ctx, f)
	if err != nil {
		return err
	}
	r.noise(f.Set(), found)
	var same, near, conflicts []Row
	for _, w := range found {
		row := twin(w, f.Set(), f.Set())
		if !w.Exact {
			near = append(near, row)
			continue
		}
		same = append(same, row)
		if columns, most := differing(f.Set(), w.Row, w.Other); len(columns) > 0 {
			row.Columns, row.Score = columns, most
			row.Text = fmt.Sprintf("up to %.1f px from %s, the same image", most, row.Other.ID)
			conflicts = append(conflicts, row)
		}
	}
	if len(conflicts) > 0 {
		r.add(Conflict, Warning, fmt.Sprintf("%s with the same image as another and other labels", count(len(conflicts), "row")), conflicts)
	}
	if len(same) > 0 {
		r.add(Duplicate, Warning, fmt.Sprintf("%s with the same image as an earlier one", count(len(same), "row")), same)
	}
	if len(near) > 0 {
		r.add(NearDuplicate, Warning, fmt.Sprintf("%s with nearly the same image as an earlier one", count(len(near), "row")), near)
	}
	return nil
}

// differing lists the columns filled in both rows that are further apart than a
// hundredth of the image's width, and the largest distance.
func differing(s *dataset.Set, a, b int) (columns []string, most float64) {
	for c, name := range s.Columns {
		if d := math.Abs(float64(s.Row(a)[c]) - float64(s.Row(b)[c])); d > float64(s.Width)/100 { // not: NaN
			columns = append(columns, name)
			most = max(most, d)
		}
	}
	return columns, most
}

func (r *Report) blank(f *twins.Faces) {
	var rows []Row
	for i, id := range f.Set().IDs {
		if c := f.Contrast(i); !f.Shows(i) {
			rows = append(rows, Row{Row: i, ID: id, Text: fmt.Sprintf("contrast of %.1f grey levels", c), Score: -c})
		}
	}
	if len(rows) > 0 {
		r.add(Blank, Warning, fmt.Sprintf("%s with an image of one grey, or nearly", count(len(rows), "row")), rows)
	}
}

// swapped finds rows whose left points lie where right ones do. Which side that
// is, the set's other rows say: in Kaggle's data the person's left has the larger
// x. A pair speaks for a swap where its points are the wrong way round by more
// than a fiftieth of the width, less being a face seen from the side.
func (r *Report) swapped(s *dataset.Set) {
	var pairs [][2]int
	for c, name := range s.Columns {
		if other := s.Column(blueprint.Mirrored(name)); blueprint.IsX(name) && other > c {
			pairs = append(pairs, [2]int{c, other})
		}
	}
	right, wrong := 0, 0
	for _, p := range pairs {
		for i := range s.Len() {
			switch d := s.Row(i)[p[0]] - s.Row(i)[p[1]]; {
			case (d > 0) == strings.Contains(s.Columns[p[0]], "left") && d == d:
				right++
			case d == d:
				wrong++
			}
		}
	}
	// The usual sign of left minus right.
	usual := float32(1)
	if wrong > right {
		usual = -1
	}
	var rows []Row
	for i := range s.Len() {
		var columns []string
		var sum, most float64
		filled := 0
		for _, p := range pairs {
			d := usual * (s.Row(i)[p[0]] - s.Row(i)[p[1]])
			if !strings.Contains(s.Columns[p[0]], "left") {
				d = -d
			}
			if d != d {
				continue
			}
			filled++
			sum += float64(d)
			if d < -float32(s.Width)/50 {
				columns = append(columns, s.Columns[p[0]], s.Columns[p[1]])
				most = max(most, -float64(d))
			}
		}
		if len(columns) > 0 {
			text := fmt.Sprintf("%d of %s swapped", len(columns)/2, count(filled, "pair"))
			rows = append(rows, Row{Row: i, ID: s.IDs[i], Text: text, Score: most, Columns: columns})
		}
	}
	if len(rows) > 0 {
		r.add(Swapped, Warning, fmt.Sprintf("%s with left and right the other way round than in the rest", count(len(rows), "row")), rows)
	}
	if wrong > right {
		r.add(Swapped, Warning, "left points have the smaller x throughout, as seen by the viewer: in Kaggle's data left is the person's, at the larger x", nil)
	}
}

func isOutside(s *dataset.Set, column string, v float32) bool {
	switch {
	case blueprint.IsX(column):
		return v < 0 || v > float32(s.Width)
	case blueprint.IsY(column):
		return v < 0 || v > float32(s.Height)
	}
	return false
}

func (r *Report) outside(s *dataset.Set) {
	var rows []Row
	for i := range s.Len() {
		row := Row{Row: i, ID: s.IDs[i]}
		for c, name := range s.Columns {
			if v := s.Row(i)[c]; isOutside(s, name, v) {
				row.Columns = append(row.Columns, name)
				size := s.Height
				if blueprint.IsX(name) {
					size = s.Width
				}
				row.Score = max(row.Score, -float64(v), float64(v)-float64(size))
			}
		}
		if len(row.Columns) > 0 {
			row.Text = fmt.Sprintf("%s up to %.1f px outside", count(len(row.Columns), "coordinate"), row.Score)
			rows = append(rows, row)
		}
	}
	if len(rows) > 0 {
		r.add(Outside, Warning, fmt.Sprintf("%s with a point outside the image", count(len(rows), "row")), rows)
	}
}

// far finds points that are much further from the model's answer than that point
// usually is: more than farTimes the median distance of all rows, and at least
// farLeast of the image's width. The label is wrong there, or the model is.
func (r *Report) far(s *dataset.Set) {
	if r.answers == nil {
		return
	}
	const farTimes, farLeast = 8, 0.04
	found := map[int]*Row{}
	n := len(r.answers.Columns)
	for c, name := range r.answers.Columns {
		x, y := s.Column(name), s.Column(blueprint.Partner(name))
		cy := slices.Index(r.answers.Columns, blueprint.Partner(name))
		if !blueprint.IsX(name) || x < 0 || y < 0 || cy < 0 {
			continue
		}
		distances := make([]float64, s.Len())
		var known []float64
		for i := range distances {
			d := math.Hypot(float64(r.answers.Points[i*n+c]-s.Row(i)[x]), float64(r.answers.Points[i*n+cy]-s.Row(i)[y]))
			if distances[i] = d; d == d {
				known = append(known, d)
			}
		}
		if len(known) == 0 {
			continue
		}
		slices.Sort(known)
		limit := max(farTimes*known[len(known)/2], farLeast*float64(s.Width))
		for i, d := range distances {
			if !(d > limit) {
				continue
			}
			if found[i] == nil {
				found[i] = &Row{Row: i, ID: s.IDs[i]}
			}
			found[i].Columns = append(found[i].Columns, s.Columns[x], s.Columns[y])
			found[i].Score = max(found[i].Score, d)
		}
	}
	var rows []Row
	for i := range s.Len() {
		if row := found[i]; row != nil {
			row.Text = fmt.Sprintf("%s up to %.1f px off", count(len(row.Columns)/2, "point"), row.Score)
			rows = append(rows, *row)
		}
	}
	if len(rows) > 0 {
		r.add(Far, Warning, fmt.Sprintf("%s with a point far from the model's answer", count(len(rows), "row")), rows)
	}
}

func (r *Report) axis(s *dataset.Set) {
	a := mirror.AxisOf(s)
	r.Axis = AxisFound{Axis: a.Axis, Error: a.Error, From: a.From, Width: s.Width}
	if a.Points == a.Points {
		r.Axis.Points = &a.Points
	}
	if off := math.Abs(a.Axis - float64(s.Width)); off > max(4*a.Error, 0.005*float64(s.Width)) {
		side := "right"
		if a.Axis < float64(s.Width) {
			side = "left"
		}
		r.add(Axis, Warning, fmt.Sprintf("labels lie %.2f px to the %s of what they name: mirrored, x becomes %.2f - x, where %d is the images' width",
			off/2, side, a.Axis, s.Width), nil)
	}
}

// count writes a number of things: 1 row, 2 rows.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func list(names []string) string {
	const most = 6
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
