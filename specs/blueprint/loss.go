package blueprint

import "cmp"

// Loss is what training makes small, over y = (pixels - offset) / scale. Its
// fields are the settings of [Losses].
type Loss struct {
	Kind    string  `json:"kind"` // one of [Losses]
	Rows    string  `json:"rows,omitempty"`
	Delta   float64 `json:"delta,omitempty"`   // in units of y; 0 stands for the default
	Epsilon float64 `json:"epsilon,omitempty"` // in units of y; 0 stands for the default
	Extra   Extra   `json:"-"`
}

const maxWidth = 1e6 // of a loss, in units of y

var rows = choice("rows", "complete", []string{"complete", "filled"},
	`"complete": only rows that have all of the member's columns; "filled": every filled cell of every row`)

// Losses are the kinds of loss, each a mean over the filled cells; d = answer - truth.
var Losses = Table[Row]{
	{"mse", "d^2", []Setting{rows}},
	{"mae", "|d|", []Setting{rows}},
	{"huber", "d^2/2 for |d| <= delta, else delta*(|d| - delta/2): Huber 1964", []Setting{rows,
		number("delta", 1, 0, maxWidth, "in units of y: where it turns linear; 0 stands for the default")}},
	{"wing", "delta*ln(1 + |d|/epsilon) for |d| < delta, else |d| - delta + delta*ln(1 + delta/epsilon): Feng et al. 2018", []Setting{rows,
		number("delta", 10.0/48, 0, maxWidth, "in units of y: its width, by default 10/48; 0 stands for that"),
		number("epsilon", 2.0/48, 0, maxWidth, "in units of y: its curvature, by default 2/48; 0 stands for that")}},
}

// Defaults gives the loss with the settings of its kind filled in.
func (l Loss) Defaults() Loss {
	row := Losses.Row(l.Kind)
	if row == nil { // not of a checked document
		return l
	}
	for i := range row.Settings { // without reflection, as it is asked for each cell
		switch s := &row.Settings[i]; s.Name {
		case "rows":
			l.Rows = cmp.Or(l.Rows, s.Default.(string))
		case "delta":
			l.Delta = cmp.Or(l.Delta, s.Default.(float64))
		case "epsilon":
			l.Epsilon = cmp.Or(l.Epsilon, s.Default.(float64))
		}
	}
	return l
}
