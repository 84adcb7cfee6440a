package submission

import (
	"cmp"
	"fmt"
	"slices"
)

// A Leak says which of the faces that a submission answers are, or nearly are,
// among those that its models were trained on.
type Leak struct {
	Data         string   `json:"data"` // what they were looked for in
	DataChecksum string   `json:"data_checksum"`
	Faces        int      `json:"faces"`  // that were looked at
	Exact        int      `json:"exact"`  // with the same pixels
	Images       []string `json:"images"` // the ImageIds of those found
}

func (l *Leak) String() string {
	return fmt.Sprintf("%d of %d test faces are, or nearly are, in %s", len(l.Images), l.Faces, l.Data)
}

// Leaked are the images that were found among the training data of the
// submission, or of one of those that it was averaged from. All tells whether
// they were looked for in each.
func (l *Ledger) Leaked() (images []string, all bool) {
	all = l.Leak != nil || len(l.Inputs) > 0
	if l.Leak != nil {
		images = slices.Clone(l.Leak.Images)
	}
	for i := range l.Inputs {
		in := &l.Inputs[i]
		if in.Ledger == nil || in.Changed {
			all = false
			continue
		}
		more, looked := in.Ledger.Leaked()
		images, all = append(images, more...), all && looked
	}
	slices.SortFunc(images, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return slices.Compact(images), all
}

// LeakScore says how much of a score could come from leaked faces.
type LeakScore struct {
	Images int    `json:"images"`           // test faces among the training data
	All    bool   `json:"all_looked_for"`   // in all that the submission was made of
	Others *Score `json:"others,omitempty"` // the score of the other faces; nil without a lookup table
}

// CompareOthers scores a submission by the rows of all images but some.
// Where no row is left that counts, it gives nil.
func (s *Solution) CompareOthers(with *Submission, lookup *Lookup, but []string) (*Score, error) {
	leave := map[int64]bool{}
	for _, id := range but {
		if i := lookup.Image(id); i >= 0 {
			for row := range lookup.Rows(i) {
				leave[lookup.IDs[row]] = true
			}
		}
	}
	others := *s
	others.Usage = make([]Usage, len(s.IDs))
	left := 0
	for i, id := range s.IDs {
		others.Usage[i] = Private
		if s.Usage != nil {
			others.Usage[i] = s.Usage[i]
		}
		if leave[id] {
			others.Usage[i] = Ignored
		}
		if others.Usage[i] != Ignored {
			left++
		}
	}
	if left == 0 {
		return nil, nil
	}
	out, err := others.Compare(with, nil)
	if err == nil && s.Usage == nil {
		out.Private, out.Rows.Private = nil, 0
	}
	return out, err
}
