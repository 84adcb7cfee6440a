package recipe_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
)

func TestSettings(t *testing.T) {
	base := `"optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": true}, "rate": {"kind": "linear", "from": 0.3, "to": 0.1}, "seed": 18446744073709551615`
	for _, c := range []struct {
		name     string
		settings map[string]string
		want     string // a part of the recipe's JSON, or of the error where it begins with "error "
	}{
		{"none", nil, `"seed":18446744073709551615`},
		{"epochs and batch", map[string]string{"recipe.epochs": "7", "recipe.batch": "9"}, `"epochs":7,"batch":9`},
		{"a number", map[string]string{"recipe.rate": "0.5"}, `"rate":0.5,"epochs"`},
		{"a large seed stays", map[string]string{"recipe.batch": "3"}, `"seed":18446744073709551615`},
		{"a large seed given", map[string]string{"recipe.seed": "9007199254740993"}, `"seed":9007199254740993`},
		{"a field of an object", map[string]string{"recipe.rate.to": "0.2"}, `"rate":{"kind":"linear","from":0.3,"to":0.2}`},
		{"an object", map[string]string{"recipe.rate": `{"kind": "cosine", "from": 1}`}, `"rate":{"kind":"cosine","from":1}`},
		{"another kind, its settings kept", map[string]string{"recipe.rate": "cosine"}, `"rate":{"kind":"cosine","from":0.3,"to":0.1}`},
		{"another kind that lacks them", map[string]string{"recipe.optimizer": "adam"}, `"optimizer":{"kind":"adam"}`},
		{"another kind with settings", map[string]string{"recipe.optimizer": "adamw", "recipe.optimizer.decay": "0.1"}, `"optimizer":{"kind":"adamw","decay":0.1}`},
		{"another loss over the same rows", map[string]string{"recipe.loss": "wing"}, `"loss":{"kind":"wing","rows":"filled"}`},
		{"something new", map[string]string{"recipe.augment.mirror.share": "0.25"}, `"augment":{"mirror":{"share":0.25}}`},
		{"taken away", map[string]string{"recipe.optimizer.nesterov": "null"}, `"optimizer":{"kind":"sgd","momentum":0.9}`},
		{"examples in place of epochs", map[string]string{"recipe.examples": "1000"}, `"examples":1000,"batch"`},
		{"two lengths", map[string]string{"recipe.epochs": "3", "recipe.examples": "1000"}, "error settings: found recipe.epochs=3 and recipe.examples=1000, want one of them"},
		{"the plugin's own", map[string]string{"hidden": "100", "rate": "9"}, `"rate":{"kind":"linear","from":0.3,"to":0.1}`},
		{"a misspelled one", map[string]string{"recipe.rat": "1"}, "error settings: found recipe.rat, which no recipe has"},
		{"below a number", map[string]string{"recipe.batch.size": "1"}, "error setting recipe.batch.size: batch is not an object"},
		{"a wrong value", map[string]string{"recipe.batch": "many"}, "error with the settings given: "},
		{"two values", map[string]string{"recipe.batch": "1 2"}, "error with the settings given: "},
		{"an unknown kind", map[string]string{"recipe.optimizer": "lion"}, "error with the settings given: "},
		{"no name", map[string]string{"recipe.": "1"}, "error "},
	} {
		d := zootest.Document(t, zootest.Net("net", []string{"*"}, zootest.Linear, zootest.Recipe(base), ""))
		before, _ := d.JSON()
		got, err := recipe.Prepare(d, zootest.Nose, c.settings)
		if want, ok := strings.CutPrefix(c.want, "error "); ok {
			zootest.WantError(t, c.name, err, nil, want)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		text, err := json.Marshal(got.Members[0].Recipe)
		if err != nil || !strings.Contains(string(text), c.want) {
			t.Errorf("%s: found recipe %s (%v), want %s in it", c.name, text, err, c.want)
		}
		if columns := got.Members[0].Columns; len(columns) != 2 || columns[0] != zootest.Nose[0] {
			t.Errorf("%s: found columns %v, want those of the data", c.name, columns)
		}
		if after, _ := d.JSON(); string(after) != string(before) {
			t.Errorf("%s: the document given was changed", c.name)
		}
	}
	if got := recipe.PluginSettings(map[string]string{"hidden": "1", "recipe.rate": "2"}); len(got) != 1 || got["hidden"] != "1" {
		t.Errorf("found plugin settings %v", got)
	}
}

// Settings change every member, and unknown fields stay.
func TestSettingsOfMembers(t *testing.T) {
	d := zootest.Document(t, zootest.Net("a", zootest.Eyes, zootest.Linear, zootest.Recipe(`"later": {"seed": 12345678901234567890}`), ""), zootest.Net("b", zootest.Nose, zootest.Linear, zootest.Recipe(`"epochs": 9`), ""))
	got, err := recipe.Prepare(d, zootest.Every, map[string]string{"recipe.batch": "5", "recipe.epochs": "2"})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got.Members {
		if m.Recipe.Batch != 5 || m.Recipe.Epochs != 2 {
			t.Errorf("member %s: found batch %d and %d epochs, want 5 and 2", m.Name, m.Recipe.Batch, m.Recipe.Epochs)
		}
	}
	if later := string(got.Members[0].Recipe.Extra["later"]); later != `{"seed":12345678901234567890}` {
		t.Errorf("found the unknown field %s", later)
	}
	_, err = recipe.Prepare(d, zootest.Nose, nil)
	zootest.WantError(t, "columns that the data lacks", err, nil, "left_eye_center_x")
}
