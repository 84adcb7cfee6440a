package blueprint

import (
	"reflect"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/specs/record"
)

// Rows have names of their own and say what they do, and a setting's default is
// one of its values.
func TestTables(t *testing.T) {
	for table, rows := range map[string][]Row{"kinds": Kinds.Rows(), "losses": Losses, "optimizers": Optimizers.Rows(), "schedules": Schedules.Rows(),
		"activations": Activations.Rows(), "initializers": Initializers.Rows(), "scalings": Scalings} {
		names := map[string]bool{}
		for _, r := range rows {
			if names[r.Name] || r.Help == "" || !ValidName(r.Name) {
				t.Errorf("%s: found the row %q (%q), want a name of its own and a help", table, r.Name, r.Help)
			}
			names[r.Name] = true
			given := map[string]bool{}
			for _, s := range r.Settings {
				if given[s.Name] || s.Help == "" {
					t.Errorf("%s, %s: found the setting %q (%q), want a name of its own and a help", table, r.Name, s.Name, s.Help)
				}
				given[s.Name] = true
				if v, ok := s.Default.(float64); ok && !(v >= s.Min && v <= s.Max) && s.Type != TypeValue {
					t.Errorf("%s, %s, %s: found the default %g, want it from %g to %g", table, r.Name, s.Name, v, s.Min, s.Max)
				}
				if s.Type == TypeEnum && !slices.Contains(s.Options, s.Default.(string)) {
					t.Errorf("%s, %s, %s: found the default %v, want one of %v", table, r.Name, s.Name, s.Default, s.Options)
				}
			}
		}
	}
	if Activations[0].FLOPs != 0 || Activations[0].Name != fused.Default {
		t.Errorf("found the first activation %q, want the one that does nothing", Activations[0].Name)
	}
}

// The fields of a Go type with kinds are the settings of the kinds.
func TestFieldsAreSettings(t *testing.T) {
	types := map[SettingType][]reflect.Type{
		TypeSchedule: {reflect.TypeFor[*Schedule]()}, TypeFloat: {reflect.TypeFor[float64]()}, TypeValue: {reflect.TypeFor[float64]()},
		TypeBool: {reflect.TypeFor[bool]()}, TypeEnum: {reflect.TypeFor[string]()},
	}
	for _, c := range []struct {
		of   any
		rows []Row
	}{{Loss{}, Losses}, {Optimizer{}, Optimizers.Rows()}, {Schedule{}, Schedules.Rows()}} {
		v := reflect.ValueOf(c.of)
		fields := map[string]reflect.Type{}
		for name, field := range record.Fields(v) {
			fields[name] = field.Type()
			if name != "kind" && len(having(c.rows, name)) == 0 {
				t.Errorf("%T: found the field %s, want it among the settings of a kind", c.of, name)
			}
		}
		for _, r := range c.rows {
			for _, s := range r.Settings {
				if !slices.Contains(types[s.Type], fields[s.Name]) {
					t.Errorf("%T, %s: found the setting %s in a field of type %v, want one for a %s", c.of, r.Name, s.Name, fields[s.Name], s.Type)
				}
			}
		}
	}
}

// What isn't given is as the kind's row says.
func TestLossDefaults(t *testing.T) {
	for _, c := range []struct{ given, want Loss }{
		{Loss{Kind: "mse"}, Loss{Kind: "mse", Rows: "complete"}},
		{Loss{Kind: "huber", Rows: "filled"}, Loss{Kind: "huber", Rows: "filled", Delta: 1}},
		{Loss{Kind: "wing"}, Loss{Kind: "wing", Rows: "complete", Delta: 10.0 / 48, Epsilon: 2.0 / 48}},
		{Loss{Kind: "wing", Epsilon: 0.5}, Loss{Kind: "wing", Rows: "complete", Delta: 10.0 / 48, Epsilon: 0.5}},
	} {
		if found := c.given.Defaults(); !reflect.DeepEqual(found, c.want) {
			t.Errorf("%+v: found %+v, want %+v", c.given, found, c.want)
		}
	}
}
