package recipe

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/record"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// Prefix marks settings of the recipe; all others are the plugin's own.
const Prefix = "recipe."

// SplitSettings parts the user's settings into the plugin's and the recipe's.
func SplitSettings(all map[string]string) (plugin, recipe map[string]string) {
	plugin, recipe = map[string]string{}, map[string]string{}
	for name, value := range all {
		if path, ok := strings.CutPrefix(name, Prefix); ok {
			recipe[path] = value
		} else {
			plugin[name] = value
		}
	}
	return plugin, recipe
}

// Change sets fields of every member's recipe, named by their path in
// the document, as in optimizer.kind. A value is JSON, or else a string; where
// the field is an object with a kind, a string changes its kind: the object's
// other settings stay if the new kind has them all, else those that every kind has.
// What makes no recipe is a [SettingError].
func Change(d *blueprint.Document, changes map[string]string) (*blueprint.Document, error) {
	if len(changes) == 0 {
		return d, nil
	}
	if epochs, both := changes["epochs"]; both {
		if examples, both := changes["examples"]; both {
			return nil, settingErrorf("settings: found %sepochs=%s and %sexamples=%s, want one of them: each is the training's length", Prefix, epochs, Prefix, examples)
		}
	}
	out, err := changed(d, changes, true)
	if err != nil {
		if anew, second := changed(d, changes, false); second == nil {
			return anew, nil
		}
		return nil, settingErrorf("%w", err)
	}
	return out, nil
}

// commonSettings are those that a loss, optimizer or schedule of any kind has.
var commonSettings = slices.Concat(blueprint.Losses.Common(), blueprint.Optimizers.Common(), blueprint.Schedules.Common())

func changed(d *blueprint.Document, changes map[string]string, keep bool) (*blueprint.Document, error) {
	text, err := d.JSON()
	if err != nil {
		return nil, err
	}
	v, err := record.ReadJSON(text)
	if err != nil {
		return nil, err
	}
	tree := v.(map[string]any)
	known := len(d.UnknownFields())
	for _, m := range tree["members"].([]any) {
		recipe := m.(map[string]any)["recipe"].(map[string]any)
		for _, path := range slices.Sorted(maps.Keys(changes)) {
			if err := change(recipe, strings.Split(path, "."), changes[path], keep); err != nil {
				return nil, fmt.Errorf("setting %s%s: %w", Prefix, path, err)
			}
		}
	}
	if text, err = json.Marshal(tree); err != nil {
		return nil, err
	}
	out, err := blueprint.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("with the settings given: %w", err)
	}
	if unknown := out.UnknownFields(); len(unknown) > known {
		for i, path := range unknown { // as it was given, once for all members
			if _, field, ok := strings.Cut(path, "."+Prefix); ok {
				unknown[i] = Prefix + field
			}
		}
		slices.Sort(unknown)
		return nil, fmt.Errorf("settings: found %s, which no recipe has", strings.Join(slices.Compact(unknown), ", "))
	}
	return out, nil
}

func change(object map[string]any, path []string, value string, keep bool) error {
	for len(path) > 1 {
		next, ok := object[path[0]].(map[string]any)
		if !ok {
			if object[path[0]] != nil {
				return fmt.Errorf("%s is not an object", path[0])
			}
			next = map[string]any{}
			object[path[0]] = next
		}
		object, path = next, path[1:]
	}
	v, err := record.ReadJSON([]byte(value))
	if err != nil {
		v = value
	}
	old, isObject := object[path[0]].(map[string]any)
	if kind, isText := v.(string); isText && isObject && old["kind"] != nil {
		if !keep {
			maps.DeleteFunc(old, func(name string, _ any) bool { return !slices.Contains(commonSettings, name) })
		}
		old["kind"] = kind
		return nil
	}
	if v == nil {
		delete(object, path[0])
		return nil
	}
	object[path[0]] = v
	if path[0] == "epochs" {
		delete(object, "examples")
	}
	if path[0] == "examples" {
		delete(object, "epochs")
	}
	return nil
}

// SettingError tells that the user's settings don't make a recipe; it wraps a [request.Error].
type SettingError struct{ error }

func (e *SettingError) Unwrap() error { return e.error }

func settingErrorf(format string, args ...any) error {
	return &SettingError{request.Errorf("", format, args...)}
}

// Prepare gives a document as it is to be trained: with the user's changes to
// the recipe and the data's columns.
func Prepare(d *blueprint.Document, columns []string, settings map[string]string) (*blueprint.Document, error) {
	_, changes := SplitSettings(settings)
	d, err := Change(d, changes)
	if err != nil {
		return nil, err
	}
	return d.Resolve(columns)
}

// PluginSettings are those of the user's settings that go to the plugin.
func PluginSettings(all map[string]string) map[string]string {
	plugin, _ := SplitSettings(all)
	return plugin
}

// Parse reads settings as the user gives them, KEY=VALUE. One that is given twice is refused.
func Parse(all []string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range all {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, request.Errorf(fmt.Sprintf("set %q", s), "want KEY=VALUE")
		}
		if _, twice := out[name]; twice {
			return nil, request.Errorf("set "+name, "given twice")
		}
		out[name] = value
	}
	return out, nil
}
