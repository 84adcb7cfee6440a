// Command fkzoo-plugin-specialists offers the report's specialists: two net7,
// one for the four keypoints that nearly every face of the competition has, one
// for the eleven that a third of them have. Their mirrored columns follow from
// the names; two of the pairs that the report gave by hand were wrong.
package main

import (
	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/plugins/report"
)

func main() {
	layout := func(hidden int) report.Plan { return report.Baseline(hidden).WithDropout() }
	recipe := report.StartingFrom(report.ForExamples(report.Flipped(report.Adjusted(1)), 10_000_000, 0), "net7")
	plugins.Serve(report.Grouped("specialists", "two net7: one for the common keypoints, one for the rare", 1000, layout, groups, recipe))
}

var groups = []report.Group{
	{Name: "common", Points: []string{"left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip"}},
	{Name: "rare", Points: []string{
		"left_eye_inner_corner", "right_eye_inner_corner", "left_eye_outer_corner", "right_eye_outer_corner",
		"left_eyebrow_inner_end", "right_eyebrow_inner_end", "left_eyebrow_outer_end", "right_eyebrow_outer_end",
		"mouth_left_corner", "mouth_right_corner", "mouth_center_top_lip"}},
}
