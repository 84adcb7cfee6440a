package blueprint

import (
	"fmt"
	"strings"

	"github.com/fkzoo/fkzoo/specs/record"
)

// Signals are what tells how far off an answer may be.
var Signals = Table[Row]{
	{Name: "heat_map", Help: "how far a point's heat map reaches: its standard deviation around the mean position, the root of the variances' sum along both axes"},
	{Name: "mirror", Help: "how far the answer lies from that for the mirror image, turned back"},
	{Name: "none", Help: "nothing: the answers of a column are all expected to be as far off"},
}

// checkUncertainty refuses what the network can't tell.
func (p *Plan) checkUncertainty() error {
	u := p.Member.Output.Uncertainty
	if u == nil {
		return nil
	}
	if Signals.Row(u.From) == nil {
		return fmt.Errorf("output.uncertainty.from: found %q, want one of %s", record.Cut(u.From), strings.Join(Signals.Names(), ", "))
	}
	for name, lists := range map[string][][]float64{"signal": u.Signal, "error": u.Error} {
		if len(lists) != len(p.Columns) {
			return fmt.Errorf("output.uncertainty.%s: found %d lists, want %d: one for each of the member's columns", name, len(lists), len(p.Columns))
		}
	}
	for c, column := range p.Columns {
		if err := checkLine(u.Signal[c], u.Error[c]); err != nil {
			return fmt.Errorf("output.uncertainty, column %s: %w", column, err)
		}
	}
	if _, _, ok := p.Maps(); u.From == "heat_map" && !ok {
		return fmt.Errorf("output.uncertainty.from: found heat_map, want it where the answer is the mean positions of heat maps, x and y by turns")
	}
	if u.From == "mirror" {
		if _, err := p.Member.Mirror().Permutation(p.Columns); err != nil {
			return fmt.Errorf("output.uncertainty.from: found mirror: %w", err)
		}
	}
	return nil
}

// checkLine refuses what is no line of an error over a signal.
func checkLine(signal, errors []float64) error {
	if len(signal) != len(errors) || len(signal) == 0 || len(signal) > maxKnots {
		return fmt.Errorf("found %d signals and %d errors, want as many, 1 to %d", len(signal), len(errors), maxKnots)
	}
	for i := range signal {
		for _, l := range []limit{{"signal", signal[i], 0, maxPixels}, {"error", errors[i], 0, maxPixels}} {
			if err := l.check(); err != nil {
				return err
			}
		}
		if i > 0 && (signal[i] <= signal[i-1] || errors[i] < errors[i-1]) {
			return fmt.Errorf("found an error of %s at %s behind one of %s at %s, want signals that rise and errors that don't fall",
				plain(errors[i]), plain(signal[i]), plain(errors[i-1]), plain(signal[i-1]))
		}
	}
	return nil
}

// maxKnots is the most points of a column's line.
const maxKnots = 64

// Expected is the error of a column to be expected for a signal: by a straight line between the points, below the first one its error, and
// beyond the last in proportion to the signal.
func (u *Uncertainty) Expected(column int, signal float64) float64 {
	at, errors := u.Signal[column], u.Error[column]
	n := len(at)
	switch {
	case !(signal > at[0]): // or not a number
		return errors[0]
	case signal >= at[n-1]:
		if at[n-1] == 0 {
			return errors[n-1]
		}
		return min(errors[n-1]*(signal/at[n-1]), maxPixels)
	}
	i := 1
	for at[i] < signal {
		i++
	}
	return errors[i-1] + (errors[i]-errors[i-1])*(signal-at[i-1])/(at[i]-at[i-1])
}

// Signal is what the network itself has to say about how far off its answers are.
func (p *Plan) Signal() string {
	if _, _, ok := p.Maps(); ok {
		return "heat_map"
	}
	if _, err := p.Member.Mirror().Permutation(p.Columns); err == nil && !p.Raw() {
		return "mirror"
	}
	return "none"
}
