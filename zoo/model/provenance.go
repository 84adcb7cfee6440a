package model

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// columnMeans are the means of the filled cells; 0 where there are none.
func columnMeans(set *dataset.Set) []float64 {
	n := len(set.Columns)
	sums, counts := make([]float64, n), make([]int, n)
	for i, v := range set.Points {
		if !math.IsNaN(float64(v)) {
			sums[i%n] += float64(v)
			counts[i%n]++
		}
	}
	for i := range sums {
		sums[i] /= float64(max(counts[i], 1))
	}
	return sums
}

// unknownData stands for the checksum of data that isn't known, or of which it isn't known which rows were learned from.
const unknownData = ""

// before are the checksums of the data that the weights had seen before this training.
func (p *Provenance) before() []string {
	if p.Start != "" && len(p.StartData) == 0 { // written before it was recorded
		return []string{unknownData}
	}
	return p.StartData
}

// Seen are the checksums of all data that the weights have seen.
func (p *Provenance) Seen() []string {
	own := []string{p.Data.Checksum}
	if len(p.Merged) > 0 {
		own = nil
		for _, m := range p.Merged {
			own = append(own, m.Data)
		}
	}
	return union(p.before(), own)
}

// union is a copy of a with what b has more, in their order.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, c := range b {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// SawBefore tells whether the weights may have been trained on the data of that checksum before this training: on who knows
// which of its rows.
func (p *Provenance) SawBefore(checksum string) bool {
	before := p.before()
	return slices.Contains(before, checksum) || slices.Contains(before, unknownData)
}

// GoOnWith notes that training goes on with other data, which may have rows of that before.
func (p *Provenance) GoOnWith(data DataFrom) {
	p.StartData = union(p.Seen(), []string{unknownData})
	p.Data = data
}

// SeenBefore tells whether the weights of some model may have been trained on the set before the training that is recorded.
func SeenBefore(models []*Model, set *dataset.Set) bool {
	return slices.ContainsFunc(models, func(m *Model) bool { return m.Provenance.SawBefore(set.Checksum) })
}

// DataOf is the record of a set.
func DataOf(s *dataset.Set) DataFrom {
	return DataFrom{s.Source, s.Checksum, s.Len(), s.Columns, columnMeans(s)}
}

// Difference says how a set differs from the recorded data; "" where it doesn't.
func (want *DataFrom) Difference(set *dataset.Set) string {
	if set.Checksum == want.Checksum {
		return ""
	}
	text := fmt.Sprintf("%s: found data with checksum %.12s…, want %.12s… (%s): ", set.Source, set.Checksum, want.Checksum, want.Source)
	var parts []string
	if set.Len() != want.Rows {
		parts = append(parts, fmt.Sprintf("found %d rows, want %d", set.Len(), want.Rows))
	}
	for _, c := range want.Columns {
		if set.Column(c) < 0 {
			parts = append(parts, "found no column "+c)
		}
	}
	for _, c := range set.Columns {
		if !slices.Contains(want.Columns, c) {
			parts = append(parts, fmt.Sprintf("found the column %s, which it lacks", c))
		}
	}
	if len(parts) == 0 && !slices.Equal(set.Columns, want.Columns) {
		parts = append(parts, "found its columns in another order")
	}
	if len(parts) == 0 {
		parts = append(parts, "as many rows and columns, other values")
	}
	return text + strings.Join(parts, ", ")
}
