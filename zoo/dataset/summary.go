package dataset

// A Summary says what a Set holds, without its images.
type Summary struct {
	Rows     int
	Complete int // rows with every column filled
	Columns  []ColumnSummary
	Height   int
	Width    int
	Channels int
}

// A ColumnSummary tells of one column: how many cells are filled, and the
// least, mean and greatest of them (NaN where none is).
type ColumnSummary struct {
	Name           string
	Filled         int
	Min, Mean, Max float32
}

// Summary counts what is filled. How many rows have which columns filled is
// specs/protocol.Summarize's to say.
func (s *Set) Summary() *Summary {
	c := len(s.Columns)
	out := &Summary{Rows: s.Len(), Height: s.Height, Width: s.Width, Channels: s.Channels,
		Columns: make([]ColumnSummary, c)}
	sums := make([]float64, c)
	for i, name := range s.Columns {
		out.Columns[i] = ColumnSummary{Name: name, Min: nan, Mean: nan, Max: nan}
	}
	for r := range s.Len() {
		complete := true
		for i, v := range s.Row(r) {
			if isNaN(v) {
				complete = false
				continue
			}
			col := &out.Columns[i]
			if col.Filled == 0 {
				col.Min, col.Max = v, v
			}
			col.Filled++
			col.Min, col.Max = min(col.Min, v), max(col.Max, v)
			sums[i] += float64(v)
		}
		if complete {
			out.Complete++
		}
	}
	for i := range out.Columns {
		if n := out.Columns[i].Filled; n > 0 {
			out.Columns[i].Mean = float32(sums[i] / float64(n))
		}
	}
	return out
}
