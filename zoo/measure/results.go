package measure

import (
	"math"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Result is a model's training in figures, as its file has them. Losses and
// errors of several members are means by the cells held out; nil: not known.
type Result struct {
	File           string         `json:"file"`
	Digest         string         `json:"digest"`
	Architecture   string         `json:"architecture"`
	Finished       bool           `json:"finished"`
	Parameters     int64          `json:"parameters"`
	FLOPs          int64          `json:"flops"` // of one answer
	Epochs         int            `json:"epochs"`
	TrainLoss      *float64       `json:"train_loss"`           // of the last epoch
	ValidationLoss *float64       `json:"validation_loss"`      // of the last epoch
	BestLoss       *float64       `json:"best_validation_loss"` // least of all epochs
	RMSEPixels     *float64       `json:"rmse_pixels"`          // on the rows held out, of the weights in the file
	BestRMSE       *float64       `json:"best_rmse_pixels"`
	MeanFaceLoss   *float64       `json:"mean_face_loss"`
	MeanFace       *float64       `json:"mean_face_rmse_pixels"`
	OutOfFold      bool           `json:"out_of_fold,omitempty"` // the figures are over the folds
	TrainRows      int            `json:"train_rows,omitempty"`  // of the member that had the most; 0: not known
	Minutes        float64        `json:"minutes"`
	Processor      float64        `json:"processor_minutes"` // over all cores; 0: not known
	Backend        string         `json:"backend"`
	Seed           uint64         `json:"seed"`
	Members        []MemberResult `json:"members"`
}

// MemberResult is one member's training in figures.
type MemberResult struct {
	Name           string   `json:"name"`
	Epochs         int      `json:"epochs"`
	BestEpoch      int      `json:"best_epoch,omitempty"`
	Stopped        bool     `json:"stopped,omitempty"`
	TrainLoss      *float64 `json:"train_loss"`
	ValidationLoss *float64 `json:"validation_loss"`
	BestLoss       *float64 `json:"best_validation_loss"`
	RMSEPixels     *float64 `json:"rmse_pixels"`
	BestRMSE       *float64 `json:"best_rmse_pixels"`
	MeanFaceLoss   *float64 `json:"mean_face_loss"`
	MeanFace       *float64 `json:"mean_face_rmse_pixels"`
	TrainRows      int      `json:"train_rows,omitempty"`
	HeldOutRows    int      `json:"held_out_rows"`
	cells          int
}

// ResultOf gives a model's, as loaded from file by [model.Load] or [model.Describe].
func ResultOf(m *model.Model, file string) (*Result, error) {
	out := &Result{
		File: file, Digest: m.Digest, Architecture: m.Document.Name, Finished: m.State == nil, Epochs: m.Epochs(),
		Backend: m.Provenance.Backend, Seed: m.Provenance.Seed, OutOfFold: m.InFolds(), Members: []MemberResult{},
	}
	for i := range m.Document.Members {
		plan, err := blueprint.NewPlan(m.Document, i, nil)
		if err != nil {
			return nil, err
		}
		out.Parameters += plan.Parameters()
		out.FLOPs += plan.FLOPs()
		if i < len(m.History) {
			out.Members = append(out.Members, memberResult(&m.History[i]))
		}
	}
	for _, r := range out.Members {
		out.TrainRows = max(out.TrainRows, r.TrainRows)
	}
	for _, s := range m.Run.Seconds {
		out.Minutes += s / 60
	}
	for _, s := range m.Run.Processor {
		out.Processor += s / 60
	}
	pool := func(of func(*MemberResult) *float64, square bool) *float64 {
		var sum, cells float64
		for i := range out.Members {
			r := &out.Members[i]
			v := of(r)
			if v == nil || len(out.Members) > 1 && r.cells == 0 {
				return nil
			}
			n := float64(max(r.cells, 1))
			x := *v
			if square {
				x *= x
			}
			sum, cells = sum+n*x, cells+n
		}
		if cells == 0 {
			return nil
		}
		mean := sum / cells
		if square {
			mean = math.Sqrt(mean)
		}
		return &mean
	}
	out.TrainLoss = pool(func(r *MemberResult) *float64 { return r.TrainLoss }, false)
	out.ValidationLoss = pool(func(r *MemberResult) *float64 { return r.ValidationLoss }, false)
	out.BestLoss = pool(func(r *MemberResult) *float64 { return r.BestLoss }, false)
	out.RMSEPixels = pool(func(r *MemberResult) *float64 { return r.RMSEPixels }, true)
	out.BestRMSE = pool(func(r *MemberResult) *float64 { return r.BestRMSE }, true)
	out.MeanFaceLoss = pool(func(r *MemberResult) *float64 { return r.MeanFaceLoss }, false)
	out.MeanFace = pool(func(r *MemberResult) *float64 { return r.MeanFace }, true)
	return out, nil
}

func memberResult(h *model.MemberHistory) MemberResult {
	r := MemberResult{
		Name: h.Member, Epochs: len(h.TrainLoss), BestEpoch: h.BestEpoch, Stopped: h.Stopped,
		TrainRows: h.TrainRows, HeldOutRows: h.HeldOut.Rows, cells: h.HeldOut.Cells,
	}
	last := func(all []float64) *float64 {
		if len(all) == 0 {
			return nil
		}
		return &all[len(all)-1]
	}
	r.TrainLoss, r.ValidationLoss, r.RMSEPixels = last(h.TrainLoss), last(h.ValidationLoss), last(h.RMSEPixels)
	if b := h.BestEpoch; b > 0 {
		r.BestLoss, r.BestRMSE = &h.ValidationLoss[b-1], &h.RMSEPixels[b-1]
		if h.Stopped {
			r.RMSEPixels = r.BestRMSE
		}
	}
	if h.HeldOut.RMSEPixels > 0 {
		r.RMSEPixels = &h.HeldOut.RMSEPixels
	}
	if h.HeldOut.Cells > 0 {
		r.MeanFaceLoss, r.MeanFace = &h.HeldOut.MeanFaceLoss, &h.HeldOut.MeanFace
	}
	return r
}
