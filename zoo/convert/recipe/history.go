package recipe

import (
	"fmt"
	"math"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/convert/receipt"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// History takes the epochs up to the first without a loss that is a number, and
// their seconds, where they are known. input is that of the model.
func History(n *legacy.Network, m *blueprint.Member, input blueprint.Input, to receipt.Member) (h model.MemberHistory, seconds []float64) {
	h.Member = m.Name
	squared := n.Recipe.Loss == "" || n.Recipe.Loss == "squared_error" || n.Recipe.Loss == "mse"
	validated := squared
	for _, e := range n.History {
		validated = validated && finite(e.ValidationLoss) && e.ValidationLoss >= 0
	}
	scale, _ := m.Affine(input)
	for i, e := range n.History {
		if !finite(e.TrainLoss) {
			to.Drop("history", fmt.Sprintf("epochs from %d on: the training loss is not a number", i+1))
			break
		}
		h.TrainLoss = append(h.TrainLoss, e.TrainLoss)
		h.Rate = append(h.Rate, rateAt(n, i))
		if finite(e.Seconds) && e.Seconds >= 0 {
			seconds = append(seconds, e.Seconds)
		}
		if !validated {
			continue
		}
		h.ValidationLoss = append(h.ValidationLoss, e.ValidationLoss)
		h.RMSEPixels = append(h.RMSEPixels, scale*math.Sqrt(e.ValidationLoss))
		if h.BestEpoch == 0 || e.ValidationLoss < h.ValidationLoss[h.BestEpoch-1] {
			h.BestEpoch = i + 1
		}
	}
	if !validated && len(n.History) > 0 {
		to.Drop("history", "validation losses: not all are numbers, or the loss was not the squared error")
	}
	done := len(h.TrainLoss)
	h.Stopped = n.Recipe.Patience > 0 && done < n.Recipe.Epochs && h.BestEpoch > 0 && done-h.BestEpoch >= n.Recipe.Patience
	return h, seconds
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// rateAt is the learning rate of an epoch, counted from 0. The tutorial's
// AdjustVariable sets it after each, so the first two have the first value.
func rateAt(n *legacy.Network, epoch int) float64 {
	rate := n.Recipe.Settings["learning_rate"]
	if s := n.Recipe.Schedules["learning_rate"]; len(s) > 0 {
		rate = s[min(max(epoch-1, 0), len(s)-1)]
	}
	if !finite(rate) {
		return 0
	}
	return rate
}
