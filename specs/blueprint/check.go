package blueprint

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/specs/record"
)

// settingsOf are the settings that a recipe's object has, of its kind where it
// has one. The error goes on where the object's path ends.
func settingsOf(object reflect.Value) ([]Setting, error) {
	switch o := object.Interface().(type) {
	case Recipe:
		return recipeSettings, nil
	case Fold:
		return foldSettings(o.Of), nil
	case Subset:
		return subsetSettings, nil
	case Stop:
		return stopSettings, nil
	case Average:
		return averageSettings, nil
	case Augment:
		return augmentSettings, nil
	case Mirror:
		return mirrorSettings, nil
	case Erase:
		return eraseSettings, nil
	case Loss:
		return settingsOfKind(object, o.Kind, Losses.Rows(), ".kind: found ")
	case Optimizer:
		return settingsOfKind(object, o.Kind, Optimizers.Rows(), ".kind: found ")
	case Schedule:
		return settingsOfKind(object, o.Kind, Schedules.Rows(), ": found the schedule ")
	}
	panic("blueprint: no settings of " + object.Type().String())
}

// settingsOfKind refuses an unknown kind, and what only other kinds have.
func settingsOfKind(object reflect.Value, kind string, rows []Row, unknown string) ([]Setting, error) {
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Name == kind })
	if i < 0 {
		return nil, fmt.Errorf("%s%q, want one of %s", unknown, record.Cut(kind), strings.Join(Table[Row](rows).Names(), ", "))
	}
	for name, field := range record.Fields(object) {
		if name == "kind" || rows[i].setting(name) != nil || field.IsZero() {
			continue
		}
		found := "it"
		if field.Kind() == reflect.Float64 {
			found = fmt.Sprintf("%g", field.Float())
		}
		return nil, fmt.Errorf("%s%s: found %s for %s, want it for %s only", separator(object), name, found, kind, strings.Join(having(rows, name), " and "))
	}
	return rows[i].Settings, nil
}

// separator stands between an object's path and a setting's name in errors.
func separator(object reflect.Value) string {
	if object.Type() == reflect.TypeFor[Schedule]() {
		return ": "
	}
	return "."
}

// checkObject checks the settings of a recipe's object; outer is the setting
// that a schedule is of. The error goes on where the object's path ends.
func checkObject(object reflect.Value, outer *Setting) error {
	settings, err := settingsOf(object)
	if err != nil {
		return err
	}
	for _, s := range settings {
		if s.Type == TypeValue {
			s.Min, s.Max = outer.Min, outer.Max
		}
		if err := s.check(jsonField(object, s.Name)); err != nil {
			return fmt.Errorf("%s%s%w", separator(object), s.Name, err)
		}
	}
	return nil
}

// check checks a struct's field that holds the setting's value. The error goes on
// where the setting's name ends.
func (s *Setting) check(field reflect.Value) error {
	number := func(v float64) error { return limit{"", v, s.Min, s.Max}.check() }
	switch v := field.Interface().(type) {
	case *Schedule:
		if v != nil {
			return checkObject(field.Elem(), s)
		}
	case Schedule:
		return checkObject(field, s)
	case string:
		if v != "" && !slices.Contains(s.Options, v) {
			return fmt.Errorf(`: found %q, want "%s"`, record.Cut(v), strings.Join(s.Options, `" or "`))
		}
	case float64:
		return number(v)
	case int:
		return number(float64(v))
	case int64:
		return number(float64(v))
	case MirrorAxis:
		return number(max(float64(v), 0)) // "auto" is below
	}
	return nil
}

// fill sets the schedules that aren't given to the settings' defaults.
func fill(object any, settings []Setting) {
	v := reflect.ValueOf(object).Elem()
	for i := range settings {
		field := jsonField(v, settings[i].Name)
		if settings[i].Type != TypeSchedule || !field.IsNil() {
			continue
		}
		constant := Constant(settings[i].Default.(float64))
		field.Set(reflect.ValueOf(&constant))
	}
}

// visit calls f for a recipe's object and all objects in it, in the order of the
// document, with the path of each: "" and "optimizer.momentum".
func visit(object reflect.Value, path string, f func(path string, object reflect.Value)) {
	f(path, object)
	for name, field := range record.Fields(object) {
		if field.Kind() == reflect.Pointer && !field.IsNil() {
			field = field.Elem()
		}
		if field.Kind() == reflect.Struct {
			visit(field, strings.TrimPrefix(path+"."+name, "."), f)
		}
	}
}

// jsonField is a struct's field by its name in JSON.
func jsonField(object reflect.Value, name string) reflect.Value {
	for found, field := range record.Fields(object) {
		if found == name {
			return field
		}
	}
	panic(fmt.Sprintf("blueprint: no field %s in %s", name, object.Type()))
}

// limit is a number of a document and the range that it must lie in.
type limit struct {
	name        string
	found       float64
	least, most float64
}

func (l limit) check() error {
	if !(l.found >= l.least && l.found <= l.most) { // not: NaN
		return fmt.Errorf("%s: found %s, want a number from %s to %s", l.name, plain(l.found), plain(l.least), plain(l.most))
	}
	return nil
}

// plain writes a number as people do: whole ones without an exponent.
func plain(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
