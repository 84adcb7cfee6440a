package zoo

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	base := `"optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": true}, "rate": {"kind": "linear", "from": 0.3, "to": 0.1}, "seed": 18446744073709551615`
	for _, c := range []struct {
		name     string
		settings map[string]string
		epochs   int
		batch    int
		want     string // a part of the recipe's JSON, or of the error where it begins with "error "
	}{
		{"none", nil, 0, 0, `"seed":18446744073709551615`},
		{"epochs and batch", nil, 7, 9, `"epochs":7,"batch":9`},
		{"a number", map[string]string{"recipe.rate": "0.5"}, 0, 0, `"rate":0.5,"epochs"`},
		{"a large seed stays", map[string]string{"recipe.batch": "3"}, 0, 0, `"seed":18446744073709551615`},
		{"a large seed given", map[string]string{"recipe.seed": "9007199254740993"}, 0, 0, `"seed":9007199254740993`},
		{"a field of an object", map[string]string{"recipe.rate.to": "0.2"}, 0, 0, `"rate":{"kind":"linear","from":0.3,"to":0.2}`},
		{"an object", map[string]string{"recipe.rate": `{"kind": "cosine", "from": 1}`}, 0, 0, `"rate":{"kind":"cosine","from":1}`},
		{"another kind, its settings kept", map[string]string{"recipe.rate": "cosine"}, 0, 0, `"rate":{"kind":"cosine","from":0.3,"to":0.1}`},
		{"another kind that lacks them", map[string]string{"recipe.optimizer": "adam"}, 0, 0, `"optimizer":{"kind":"adam"}`},
		{"another kind with settings", map[string]string{"recipe.optimizer": "adamw", "recipe.optimizer.decay": "0.1"}, 0, 0, `"optimizer":{"kind":"adamw","decay":0.1}`},
		{"another loss over the same rows", map[string]string{"recipe.loss": "wing"}, 0, 0, `"loss":{"kind":"wing","rows":"filled"}`},
		{"something new", map[string]string{"recipe.augment.mirror.share": "0.25"}, 0, 0, `"augment":{"mirror":{"share":0.25}}`},
		{"taken away", map[string]string{"recipe.optimizer.nesterov": "null"}, 0, 0, `"optimizer":{"kind":"sgd","momentum":0.9}`},
		{"examples in place of epochs", map[string]string{"recipe.examples": "1000"}, 0, 0, `"examples":1000,"batch"`},
		{"the plugin's own", map[string]string{"hidden": "100", "rate": "9"}, 0, 0, `"rate":{"kind":"linear","from":0.3,"to":0.1}`},
		{"a misspelled one", map[string]string{"recipe.rat": "1"}, 0, 0, "error settings: found members.net.recipe.rat, which no recipe has"},
		{"below a number", map[string]string{"recipe.batch.size": "1"}, 0, 0, "error setting recipe.batch.size: batch is not an object"},
		{"a wrong value", map[string]string{"recipe.batch": "many"}, 0, 0, "error with the settings given: "},
		{"two values", map[string]string{"recipe.batch": "1 2"}, 0, 0, "error with the settings given: "},
		{"an unknown kind", map[string]string{"recipe.optimizer": "lion"}, 0, 0, "error with the settings given: "},
		{"no name", map[string]string{"recipe.": "1"}, 0, 0, "error "},
	} {
		d := document(t, network{"net", []string{"*"}, linear, recipe(base), ""})
		before, _ := d.JSON()
		got, err := Prepare(d, nose, c.settings, c.epochs, c.batch)
		if want, ok := strings.CutPrefix(c.want, "error "); ok {
			wantError(t, c.name, err, nil, want)
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
		if columns := got.Members[0].Columns; len(columns) != 2 || columns[0] != nose[0] {
			t.Errorf("%s: found columns %v, want those of the data", c.name, columns)
		}
		if after, _ := d.JSON(); string(after) != string(before) {
			t.Errorf("%s: the document given was changed", c.name)
		}
	}
	if got := PluginSettings(map[string]string{"hidden": "1", "recipe.rate": "2"}); len(got) != 1 || got["hidden"] != "1" {
		t.Errorf("found plugin settings %v", got)
	}
}

// Settings change every member, and unknown fields stay.
func TestSettingsOfMembers(t *testing.T) {
	d := document(t, network{"a", eyes, linear, recipe(`"later": {"seed": 12345678901234567890}`), ""}, network{"b", nose, linear, recipe(`"epochs": 9`), ""})
	got, err := Prepare(d, every, map[string]string{"recipe.batch": "5"}, 2, 0)
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
	_, err = Prepare(d, nose, nil, 0, 0)
	wantError(t, "columns that the data lacks", err, nil, "left_eye_center_x")
}
