package submission

import "fmt"

// A Report is what [Check] found in a file.
type Report struct {
	File   string  `json:"file"`
	OK     bool    `json:"ok"`
	Rows   int     `json:"rows"`             // without a fault
	Faults int     `json:"faults"`           // in all
	List   []Fault `json:"list,omitempty"`   // the first of them
	Lookup string  `json:"lookup,omitempty"` // the table that was compared with
}

// maxFaults is how many faults a report lists.
const maxFaults = 100

// Check looks at a submission's form: its encoding, line ends and header, and
// in each row a whole number that no other row has and a number from 0 to side
// pixels. With a lookup table, which may be nil, it also looks for rows that
// lack or that the table doesn't ask for. A file that can't be read is an
// error, not a fault.
func Check(path string, side float64, lookup *Lookup) (*Report, error) {
	r := &Report{File: path}
	report := func(f Fault) bool {
		r.Faults++
		if len(r.List) < maxFaults {
			r.List = append(r.List, f)
		}
		return true
	}
	faulty := map[int64]bool{} // rows that are there, but not as they should be
	s, err := scan(path, side, func(f Fault) bool {
		if f.Row != nil {
			faulty[*f.Row] = true
		}
		return report(f)
	})
	if err != nil {
		return nil, err
	}
	r.Rows = s.Len()
	if lookup != nil && (s.Len() > 0 || len(faulty) > 0) {
		r.Lookup = lookup.Source
		r.compare(s, faulty, lookup, report)
	}
	r.OK = r.Faults == 0
	return r, nil
}

// compare reports the rows that only the file or only the table has.
func (r *Report) compare(s *Submission, faulty map[int64]bool, lookup *Lookup, report func(Fault) bool) {
	have, want := index(s.IDs), index(lookup.IDs)
	for i, id := range lookup.IDs {
		if _, ok := have[id]; !ok && !faulty[id] {
			image, feature := lookup.Images[lookup.ImageOf(i)], lookup.Features[lookup.Feature(i)]
			report(Fault{Row: &id, Reason: fmt.Sprintf("missing, want %s of image %s", feature, image)})
		}
	}
	for _, id := range s.IDs {
		if _, ok := want[id]; !ok {
			report(Fault{Row: &id, Reason: "found a row that the lookup table doesn't ask for, want it left out"})
		}
	}
}
