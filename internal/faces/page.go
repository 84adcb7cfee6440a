package main

import (
	"fmt"
	"strings"
)

// tables are the page's, by their regions' names.
func (r *record) tables() map[string]string {
	return map[string]string{
		"models": fmt.Sprintf("`ready` %.16s…, `ready-finder` %.16s…\n", r.Points, r.Finder),
		"photos": r.photoTable(), "data": r.dataTable(), "expected": r.expectedTable(), "nobody": r.nobodyTable(),
		"film": r.filmTable(), "variations": r.variationTable(),
	}
}

const unmeasured = "not measured yet\n"

// table writes rows, the first of them the head.
func table(rows [][]string) string {
	var out strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&out, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&out, "|%s\n", strings.Repeat(" --- |", len(row)))
		}
	}
	return out.String()
}

func (r *record) photoTable() string {
	if r.Photos == nil {
		return unmeasured
	}
	rows := [][]string{{"pose", "faces", "found", "score", "points off by, of the eyes' distance", "by, of the face's size"}}
	for _, p := range r.Photos.Poses {
		score, eyes, face := "-", "-", "-"
		if p.Found > 0 {
			score, face = fmt.Sprintf("%.2f", p.Score), percent(p.OfFace)
			if p.WithEyes > 0 {
				eyes = percent(p.OfEyes)
			}
		}
		rows = append(rows, []string{p.Pose, fmt.Sprint(p.Faces), fmt.Sprint(p.Found), score, eyes, face})
	}
	return table(rows) + fmt.Sprintf("\n%d boxes that are no face in %d photographs; %.2f s for one on the mean, read and all.\n",
		r.Photos.False, r.Photos.Photos, r.Photos.Seconds)
}

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

func (r *record) dataTable() string {
	if r.Data == nil {
		return unmeasured
	}
	rows := [][]string{{"turned so that the nose leans by", "rows", "error, pixels", "median row"}}
	for _, t := range r.Data.Turns {
		rows = append(rows, []string{t.Lean, fmt.Sprint(t.Rows), fmt.Sprintf("%.2f", t.RMSE), fmt.Sprintf("%.2f", t.Median)})
	}
	rows = append(rows, []string{"**all**", fmt.Sprint(r.Data.Rows), fmt.Sprintf("**%.3f**", r.Data.RMSE), fmt.Sprintf("%.2f", r.Data.Median)})
	return table(rows) + fmt.Sprintf("\nThe mean of the data's own faces is off by %.2f there, that of the drawn ones by %.2f.\n", r.Data.OwnMean, r.Data.MeanFace)
}

func (r *record) expectedTable() string {
	if r.Data == nil {
		return unmeasured
	}
	rows := [][]string{{"part", "expected, drawn faces", "found", "expected, real faces", "found"}}
	for i := range min(len(r.Data.ExpectedDrawn), len(r.Data.ExpectedReal)) {
		d, f := r.Data.ExpectedDrawn[i], r.Data.ExpectedReal[i]
		number := func(v float64) string { return fmt.Sprintf("%.2f", v) }
		rows = append(rows, []string{fmt.Sprint(i + 1), number(d.Expected), number(d.Found), number(f.Expected), number(f.Found)})
	}
	return table(rows)
}

func (r *record) nobodyTable() string {
	if r.Nobody == nil {
		return unmeasured
	}
	rows := [][]string{{"pictures of", "pictures", "false faces", "highest score"}}
	for _, n := range r.Nobody {
		rows = append(rows, []string{n.Kind, fmt.Sprint(n.Pictures), fmt.Sprint(n.Faces), fmt.Sprintf("%.2f", n.Highest)})
	}
	return table(rows)
}

func (r *record) filmTable() string {
	if r.Film == nil {
		return unmeasured
	}
	rows := [][]string{{"smoothed over", "points shake by, pixels", "off by, pixels", "frames with the face"}}
	for _, s := range r.Film {
		over := "not"
		if s.Smooth > 0 {
			over = fmt.Sprintf("%g s", s.Smooth)
		}
		rows = append(rows, []string{over, fmt.Sprintf("%.2f", s.Shake), fmt.Sprintf("%.2f", s.Off), fmt.Sprintf("%d of %d", s.Found, s.Frames)})
	}
	return table(rows)
}

func (r *record) variationTable() string {
	if r.Variations == nil {
		return unmeasured
	}
	rows := [][]string{{"drawn without", "error on the real faces, pixels", "more than with all"}}
	var all float64
	for _, v := range r.Variations {
		if v.Without == "" {
			all = v.RMSE
		}
	}
	for _, v := range r.Variations {
		if v.Without == "" {
			rows = append(rows, []string{"**nothing: all variations**", fmt.Sprintf("**%.3f**", v.RMSE), ""})
			continue
		}
		rows = append(rows, []string{what[v.Without], fmt.Sprintf("%.3f", v.RMSE), fmt.Sprintf("%+.3f", v.RMSE-all)})
	}
	return table(rows)
}
