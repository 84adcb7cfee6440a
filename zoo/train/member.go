package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/internal/cputime"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// member trains one member.
func (t *training) member(ctx context.Context, data *engine.Resident, index int) error {
	plan, err := blueprint.NewPlan(t.model.Document, index, nil)
	if err != nil {
		return err
	}
	train, validation, err := model.SplitRows(plan.Member, t.Data)
	if err != nil {
		return err
	}
	epochs, err := model.EpochsOn(plan.Member, t.Data)
	if err != nil {
		return err
	}
	config := engine.Config{
		Plan: plan, Rows: train, Epochs: epochs,
		Seed: plan.Member.Recipe.Seed, Weights: t.model.Weights,
	}
	run := &memberRun{training: t, index: index, plan: plan, validation: validation, epochs: epochs, leastLoss: math.Inf(1)}
	if s := t.model.State; s != nil {
		if s.Epoch > config.Epochs || s.Epoch == config.Epochs && s.Step > 0 {
			return fmt.Errorf("member %s: state: found epoch %d and batch %d, want at most %d epochs", plan.Member.Name, s.Epoch, s.Step, config.Epochs)
		}
		if !s.Fresh() {
			config.State = t.engineState(s, plan)
		}
		run.restore(s)
	}
	run.maxLoss = explosion * run.lossOfNothing(train)
	config.MaxLoss = run.maxLoss
	if run.trainer, err = engine.NewTrainer(data, config); err != nil {
		return fmt.Errorf("member %s: %w", plan.Member.Name, err)
	}
	defer run.trainer.Close()
	// All that the trainer has is no longer needed here.
	t.model.State = nil
	for name := range model.Parameters(plan) {
		delete(t.model.Weights, name)
	}
	done, _ := run.trainer.Position()
	run.holdOut()
	run.history().TrainRows = len(train)
	t.Watch.Member(MemberStart{
		Name: plan.Member.Name, Index: index, Members: len(t.model.Document.Members), Columns: len(plan.Columns),
		TrainRows: len(train), ValidRows: len(validation), Epochs: config.Epochs, Done: done,
		Batch: plan.Member.Recipe.Batch, Parameters: plan.Parameters(), MeanFace: run.meanFacePixels(),
		Fold: plan.Member.Recipe.Fold,
	})
	if err := run.epochsLeft(ctx, done); err != nil {
		return fmt.Errorf("member %s: %w", plan.Member.Name, err)
	}
	return nil
}

// engineState puts a checkpoint's parts together again: what stands among the
// model's weights is the training's, too.
func (t *training) engineState(s *model.State, plan *blueprint.Plan) *engine.State {
	tensors := maps.Clone(s.Tensors)
	for name, to := range currentNames(plan) {
		tensors[to] = t.model.Weights[name]
	}
	return &engine.State{Epoch: s.Epoch, Step: s.Step, LossSum: s.LossSum, Cells: s.Cells, Tensors: tensors}
}

// memberRun is a member's training under way.
type memberRun struct {
	*training
	index       int
	plan        *blueprint.Plan
	trainer     *engine.Trainer
	validation  []int
	epochs      int
	leastLoss   float64       // of the validation, so far
	bestWeights engine.Arrays // its weights; nil where nothing will need them, see wantsBest
	maxLoss     float64       // beyond which it explodes; 0: not known
}

func (r *memberRun) history() *model.MemberHistory { return &r.model.History[r.index] }

// wantsBest tells whether the weights of the best epoch are needed later: to be
// put back, or to stand in NAME.best.fkz when another member is under way.
func (r *memberRun) wantsBest() bool {
	return r.plan.Member.Recipe.Stop != nil || r.index+1 < len(r.model.Document.Members)
}

func (r *memberRun) restore(s *model.State) {
	h := r.history()
	r.bests = maps.Clone(s.Best)
	own := model.Take(r.bests, model.Parameters(r.plan))
	if len(own) == 0 && h.BestEpoch > 0 && h.BestEpoch == s.Epoch && s.Step == 0 { // as in NAME.best.fkz
		for name := range model.Parameters(r.plan) {
			own[name] = r.model.Weights[name]
		}
	}
	if r.wantsBest() && len(own) > 0 {
		r.bestWeights = own
	}
	if h.BestEpoch > 0 {
		r.leastLoss = h.ValidationLoss[h.BestEpoch-1]
	}
}

func (r *memberRun) epochsLeft(ctx context.Context, done int) error {
	if b := r.Options.Backend; done < r.epochs && b.Compiles() { // apart from the first epoch's time
		r.Watch.Note(fmt.Sprintf("compiling %s for backend %s", r.plan.Member.Name, b.Name()))
		if err := r.trainer.Compile(len(r.validation)); err != nil {
			return err
		}
	}
	for e := done; e < r.epochs; e++ {
		stop, err := r.epoch(ctx)
		if err != nil {
			return err
		}
		if stop {
			break
		}
		if e+1 < r.epochs && r.due(1, 0) {
			if err := r.checkpoint(); err != nil {
				return err
			}
		}
	}
	return r.keepWeights()
}

// keepWeights puts the member's weights, as they stay, into the model.
func (r *memberRun) keepWeights() error {
	weights := r.bestWeights
	stopped := r.plan.Member.Recipe.Stop != nil && weights != nil
	if !stopped {
		var err error
		if weights, err = r.trainer.Current(); err != nil {
			return err
		}
		if err := finiteWeights(weights); err != nil {
			return err
		}
	}
	maps.Copy(r.model.Weights, weights)
	h := r.history()
	if at := len(h.ValidationLoss); at > 0 {
		if stopped {
			at = h.BestEpoch
		}
		h.SetHeldOut(at)
		if at != h.BestEpoch && r.index+1 < len(r.model.Document.Members) {
			maps.Copy(r.bests, r.bestWeights)
		}
	}
	return nil
}

// finiteWeights refuses what the last step of a training may have left, where no
// rows are held out that would tell.
func finiteWeights(weights engine.Arrays) error {
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		for _, v := range weights[name].Data {
			if v-v != 0 {
				return fmt.Errorf("%w: tensor %s holds %g after the last batch: a smaller learning rate may help", engine.ErrDiverged, name, v)
			}
		}
	}
	return nil
}

// epoch trains and validates one epoch; stop tells that patience is at its end.
func (r *memberRun) epoch(ctx context.Context) (stop bool, err error) {
	start, processor := time.Now(), cputime.Used()
	epoch, _ := r.trainer.Position()
	rate := r.plan.Member.Recipe.Rate.At(blueprint.Progress{
		Epoch: epoch, Epochs: r.epochs, Step: epoch * r.trainer.StepsPerEpoch(), StepsPerEpoch: r.trainer.StepsPerEpoch(),
	})
	within, end := context.WithCancel(ctx)
	defer end()
	var diverged error
	loss, err := r.trainer.Epoch(within, func(done, total int) {
		r.learned++
		r.Watch.Batch(done, total)
		if r.due(0, 1) && done < total {
			if diverged = r.checkpoint(); diverged != nil {
				end()
			}
		}
	})
	if diverged != nil {
		return false, diverged
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return false, r.interrupted()
	}
	if err != nil {
		return false, err
	}
	done := EpochDone{
		Member: r.plan.Member.Name, Epoch: epoch + 1, Epochs: r.epochs, TrainLoss: loss.Loss, Rate: rate,
		ValidationLoss: math.NaN(), RMSEPixels: math.NaN(),
	}
	h := r.history()
	h.TrainLoss, h.Rate = append(h.TrainLoss, loss.Loss), append(h.Rate, rate)
	if len(r.validation) > 0 {
		// Ctrl-C waits for the validation: it is short, and the epoch then is whole.
		if err := r.validate(context.WithoutCancel(ctx), &done); err != nil {
			return false, err
		}
		h.ValidationLoss, h.RMSEPixels = append(h.ValidationLoss, done.ValidationLoss), append(h.RMSEPixels, done.RMSEPixels)
		if done.Best {
			h.BestEpoch = epoch + 1
		}
	}
	done.Time = time.Since(start)
	r.model.Run.Add(done.Time, cputime.Used()-processor)
	r.Watch.Epoch(done)
	r.tellBest()
	if done.Best {
		if err := r.keepBest(); err != nil {
			return false, err
		}
	}
	if s := r.plan.Member.Recipe.Stop; s != nil && h.BestEpoch > 0 && epoch+1-h.BestEpoch >= s.Patience && epoch+1 < r.epochs {
		h.Stopped = true
		r.Watch.Note(fmt.Sprintf("%s: stopped after epoch %d: %d epochs without a better validation loss; the weights of epoch %d are put back. %s",
			done.Member, epoch+1, s.Patience, h.BestEpoch, measure.TrendOf(h, s.Patience)))
		return true, nil
	}
	if epoch+1 == r.epochs && len(h.ValidationLoss) > 0 {
		if trend := measure.TrendOf(h, max(r.epochs/10, 1)); trend.Falling {
			r.Watch.Note(fmt.Sprintf("%s: at the end of its epochs, %s", done.Member, trend))
		}
	}
	return false, nil
}

// lossOfNothing is that of always answering y = 0.
func (r *memberRun) lossOfNothing(rows []int) float64 {
	nothing := make([]float32, r.plan.Answers())
	if !r.plan.Member.Boxes() {
		_, offset := r.plan.Member.Affine(r.plan.Document.Input)
		nothing = slices.Repeat([]float32{float32(offset)}, len(nothing))
	}
	return r.scorer().Compare(r.plan.Columns, rows, func(int) []float32 { return nothing }).Loss
}

// explosion is how many times the loss of always answering nothing (y = 0, the
// middle of the image) a loss must be to be called exploding: the answers then lie
// tens of image widths away, from where no training comes back.
const explosion = 1e4

// scorer compares with the data as the member's recipe does.
func (r *memberRun) scorer() *measure.Scorer {
	return measure.NewScorer(r.plan.Document, r.index, r.Data, r.meanFace())
}

func (r *memberRun) meanFace() map[string]float64 {
	return measure.MeanFace([]*model.Model{r.model}, r.Data)
}

// holdOut records the rows held out, and what the mean face gives there.
func (r *memberRun) holdOut() {
	h := model.HeldOut{Rows: len(r.validation)}
	if h.Rows > 0 {
		nothing := make([]float32, r.plan.Answers())
		if !r.plan.Member.Boxes() {
			face := r.meanFace()
			for i, c := range r.plan.Columns {
				nothing[i] = float32(face[c])
			}
		}
		score := r.scorer().Compare(r.plan.Columns, r.validation, func(int) []float32 { return nothing })
		h.Cells, h.MeanFaceLoss, h.MeanFace = score.Cells, score.Loss, score.RMSEPixels
	}
	if r.plan.Member.Recipe.Fold != nil {
		h.Numbers = slices.Sorted(slices.Values(r.validation))
	}
	r.history().HeldOut = h
}

// meanFacePixels is the error of always answering the mean face on the rows
// held out; NaN where there are none.
func (r *memberRun) meanFacePixels() float64 {
	if len(r.validation) == 0 || r.plan.Member.Boxes() {
		return math.NaN()
	}
	return r.history().HeldOut.MeanFace
}

// validate answers the held-out rows with the weights as they are now.
func (r *memberRun) validate(ctx context.Context, done *EpochDone) error {
	points, err := r.trainer.Predict(ctx, answer.ImagesOf(r.Data), r.validation)
	if err != nil {
		return err
	}
	n := r.plan.Answers()
	score := r.scorer().Compare(r.plan.Columns, r.validation, func(i int) []float32 { return points[i*n : (i+1)*n] })
	done.ValidationLoss, done.RMSEPixels = score.Loss, score.RMSEPixels
	if math.IsNaN(done.ValidationLoss) || math.IsInf(done.ValidationLoss, 0) {
		return fmt.Errorf("%w: the validation loss of epoch %d is %g: a smaller learning rate may help", engine.ErrDiverged, done.Epoch, done.ValidationLoss)
	}
	if r.maxLoss > 0 && done.ValidationLoss > r.maxLoss {
		return fmt.Errorf("%w: the validation loss of epoch %d is %.4g, more than %.3g, from where no training comes back: a smaller learning rate may help",
			engine.ErrDiverged, done.Epoch, done.ValidationLoss, r.maxLoss)
	}
	if done.ValidationLoss < r.leastLoss {
		r.leastLoss, done.Best = done.ValidationLoss, true
		if r.wantsBest() {
			r.bestWeights, err = r.trainer.Current()
		}
	}
	return err
}
