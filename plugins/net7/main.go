// Command fkzoo-plugin-net7 offers the report's net7, the baseline with twice
// the hidden units, and net8, one net7 for each of six groups of keypoints.
package main

import (
	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/plugins/report"
)

func main() {
	recipe := report.Flipped(report.Adjusted(10_000))
	plugins.Serve(
		report.Architecture("net7", "net6 with 1,000 units in each hidden layer", 1000, layout, recipe),
		report.Grouped("net8", "six net7, each for a group of keypoints", 1000, layout, groups, report.ForExamples(recipe, 4_000_000, 200)),
	)
}

func layout(hidden int) report.Plan { return report.Baseline(hidden).WithDropout() }

var groups = []report.Group{
	{Name: "eye_centers", Points: []string{"left_eye_center", "right_eye_center"}},
	{Name: "nose_tip", Points: []string{"nose_tip"}},
	{Name: "mouth_corners", Points: []string{"mouth_left_corner", "mouth_right_corner", "mouth_center_top_lip"}},
	{Name: "bottom_lip", Points: []string{"mouth_center_bottom_lip"}},
	{Name: "eye_corners", Points: []string{"left_eye_inner_corner", "right_eye_inner_corner", "left_eye_outer_corner", "right_eye_outer_corner"}},
	{Name: "eyebrows", Points: []string{"left_eyebrow_inner_end", "right_eyebrow_inner_end", "left_eyebrow_outer_end", "right_eyebrow_outer_end"}},
}
