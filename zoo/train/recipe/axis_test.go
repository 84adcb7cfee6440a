package recipe_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// The axis that a recipe leaves to the data is estimated, stored, and used to
// turn the answers for mirrored images back.
func TestAutoAxis(t *testing.T) {
	set, err := demo.Faces(t.Context(), 120, 3)
	if err != nil {
		t.Fatal(err)
	}
	set.Points = slices.Clone(set.Points)
	for i := range set.Points {
		if blueprint.IsX(set.Columns[i%len(set.Columns)]) {
			set.Points[i] += 2
		}
	}
	// Two members, of which one has an axis of its own.
	const auto, given = `"epochs": 1, "rate": 1e-5, "augment": {"mirror": {"axis": "auto"}}`, `"epochs": 1, "rate": 1e-5, "augment": {"mirror": {"axis": 90.5}}`
	d := zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(auto), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(given), ""))
	d.Input.Height, d.Input.Width = 96, 96
	out, said := recipe.WithAxis(d, set)
	axis := float64(out.Members[0].Recipe.Augment.Mirror.Axis)
	if math.Abs(axis-100) > 0.5 || math.Round(axis*100)/100 != axis || out.Members[1].Recipe.Augment.Mirror.Axis != 90.5 {
		t.Errorf("found %g and %g, want 100 and 90.5", axis, out.Members[1].Recipe.Augment.Mirror.Axis)
	}
	if !strings.HasPrefix(said, "mirror axis: x becomes ") || !strings.HasSuffix(said, "estimated from the images") {
		t.Errorf("found %q", said)
	}
	if d.Members[0].Recipe.Augment.Mirror.Axis != blueprint.AutoAxis {
		t.Error("the document given was changed")
	}
	if _, said := recipe.WithAxis(out, set); said != "" {
		t.Errorf("found %q, want nothing where nothing is left to the data", said)
	}
	flip, err := answer.FlipOf(&out.Members[0], 96)
	if err != nil || !slices.Equal(flip.Add, []float64{axis, 0, axis, 0}) {
		t.Errorf("found %+v (%v), want the axis %g", flip, err, axis)
	}

	// In a whole training.
	o := traintest.Options(t, d, set)
	m := traintest.MustTrain(t, o)
	for _, m := range []*model.Model{m, zootest.MustLoad(t, o.Output)} {
		if got := float64(m.Document.Members[0].Recipe.Augment.Mirror.Axis); got != axis {
			t.Errorf("found axis %g in the model, want %g", got, axis)
		}
	}

	// Given again, it is no change; another is.
	const setting = "recipe.augment.mirror.axis"
	d = zootest.Document(t, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(`"epochs": 2, "rate": 1e-5, "augment": {"mirror": {"axis": "auto"}}`), ""))
	d.Input.Height, d.Input.Width = 96, 96
	o = traintest.Options(t, d, set)
	whole := traintest.MustTrain(t, o)
	o = traintest.Options(t, d, set)
	o.ResumePath = traintest.Interrupt(t, o, 1)
	o.Resume, o.Settings = zootest.MustLoad(t, o.ResumePath), map[string]string{setting: "99"}
	_, err = train.Run(t.Context(), o)
	zootest.WantError(t, "another axis", err, nil, setting+": found 99, want ")
	o.Resume, o.Settings = zootest.MustLoad(t, o.ResumePath), map[string]string{setting: "auto"}
	traintest.SameModel(t, "resumed with the axis left to the data again", traintest.MustTrain(t, o), whole)
}
