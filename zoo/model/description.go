package model

import "github.com/fkzoo/fkzoo/specs/blueprint"

// Description is what follows from a document: each member's plan, and what they come to.
type Description struct {
	Document   *blueprint.Document
	Plans      []*blueprint.Plan // of each member
	Parameters int64
	FLOPs      int64 // for one image: a multiplication and an addition are two
}

// DescriptionOf plans a document for data with these columns; nil: the document says them.
func DescriptionOf(d *blueprint.Document, columns []string) (*Description, error) {
	out := &Description{Document: d}
	for i := range d.Members {
		plan, err := blueprint.NewPlan(d, i, columns)
		if err != nil {
			return nil, err
		}
		out.Plans = append(out.Plans, plan)
		out.Parameters += plan.Parameters()
		out.FLOPs += plan.FLOPs()
	}
	return out, nil
}
