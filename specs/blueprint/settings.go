package blueprint

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/fkzoo/fkzoo/specs/record"
)

// Settings are a layer's settings by name, as given; see [Kind.Settings] for
// which there are. Values of a parsed document have the types that
// [Values]'s getters give; a document built in Go may use plain int, float64,
// string, bool and slices.
type Settings map[string]any

// SettingType says what values a setting takes.
type SettingType string

const (
	TypeCount   SettingType = "count"   // a whole number of at least 1, or "columns" or "points": as many as the member's columns, or half of them
	TypeInt     SettingType = "int"     // a whole number
	TypeFloat   SettingType = "float"   // a number
	TypeBool    SettingType = "bool"    // true or false
	TypeEnum    SettingType = "enum"    // one of Setting.Options
	TypePair    SettingType = "pair"    // [vertical, horizontal], or one number for both
	TypePadding SettingType = "padding" // "valid" (none), "same" (output = input / stride, rounded up; the larger half below and right), one number, [vertical, horizontal], or [[top, bottom], [left, right]]
	TypeShape   SettingType = "shape"   // an array of whole numbers of at least 1, or one -1 for what is left

	// Of recipes alone.
	TypeSchedule SettingType = "schedule" // a number, or a [Schedule] of numbers; the default is one number
	TypeValue    SettingType = "value"    // of a schedule: a number within the limits of the setting that it is the schedule of
)

// Setting is one setting of a row of a [Table], or of an object of a recipe.
type Setting struct {
	Name    string
	Type    SettingType
	Default any // of the type that [Values] gives; nil: the setting is required
	Min     float64
	Max     float64
	Options []string // of TypeEnum
	Help    string
}

// maxSettingBytes limits a setting's text; the longest of use is a shape.
const maxSettingBytes = 1 << 10

// Symbols of TypeCount.
const (
	CountColumns = "columns"
	CountPoints  = "points"
)

// Padding as TypePadding's value: Mode "same" or "valid", or explicit amounts.
type Padding struct {
	Mode   string    // "same", "valid" or ""
	Amount [2][2]int // [[top, bottom], [left, right]] where Mode is ""
}

// MarshalJSON writes a mode as a string and amounts in the shortest of the
// forms that [TypePadding] has.
func (p Padding) MarshalJSON() ([]byte, error) {
	v, h := p.Amount[0], p.Amount[1]
	switch {
	case p.Mode != "":
		return json.Marshal(p.Mode)
	case v[0] != v[1] || h[0] != h[1]:
		return json.Marshal(p.Amount)
	case v[0] != h[0]:
		return json.Marshal([2]int{v[0], h[0]})
	}
	return json.Marshal(v[0])
}

// Resolve gives the amounts for an input of this height and width.
func (p Padding) Resolve(in, window, stride, dilation [2]int) [2][2]int {
	if p.Mode != "same" {
		return p.Amount
	}
	var out [2][2]int
	for i := range 2 {
		extent := (window[i]-1)*dilation[i] + 1
		total := max(((in[i]+stride[i]-1)/stride[i]-1)*stride[i]+extent-in[i], 0)
		out[i] = [2]int{total / 2, total - total/2}
	}
	return out
}

// parse reads a JSON value of the setting, checking its type and limits.
func (s *Setting) parse(raw json.RawMessage) (any, error) {
	if len(raw) > maxSettingBytes {
		return nil, fmt.Errorf("found %d bytes, want at most %d", len(raw), maxSettingBytes)
	}
	if string(raw) == "null" {
		return nil, fmt.Errorf("found null, want a value of the type %s or no such setting", s.Type)
	}
	switch s.Type {
	case TypeCount:
		var name string
		if json.Unmarshal(raw, &name) == nil {
			if name != CountColumns && name != CountPoints {
				return nil, fmt.Errorf("found %q, want a whole number, %q or %q", name, CountColumns, CountPoints)
			}
			return name, nil
		}
		return s.parseInt(raw)
	case TypeInt:
		return s.parseInt(raw)
	case TypeFloat:
		return s.parseFloat(raw)
	case TypeBool:
		var v bool
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, fmt.Errorf("found %s, want true or false", short(raw))
		}
		return v, nil
	case TypeEnum:
		var v string
		if err := json.Unmarshal(raw, &v); err != nil || !slices.Contains(s.Options, v) {
			return nil, fmt.Errorf("found %s, want one of %s", short(raw), strings.Join(s.Options, ", "))
		}
		return v, nil
	case TypePair:
		return s.parsePair(raw)
	case TypePadding:
		return s.parsePadding(raw)
	case TypeShape:
		return s.parseShape(raw)
	}
	panic("blueprint: setting type " + string(s.Type))
}

// canonical is the one text of a setting's value: 3 for [3,3], 1 for 1.0. A
// value that the setting can't have is left as it is.
func (s *Setting) canonical(raw json.RawMessage) json.RawMessage {
	v, err := s.parse(raw)
	if err != nil {
		return raw
	}
	if p, ok := v.([2]int); ok && p[0] == p[1] {
		v = p[0]
	}
	b, err := record.Text(v)
	if err != nil {
		return raw
	}
	return b
}

func (s *Setting) parseInt(raw json.RawMessage) (int, error) {
	v, err := s.parseFloat(raw)
	if err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<31 {
		return 0, fmt.Errorf("found %s, want a whole number from %g to %g", short(raw), s.Min, s.Max)
	}
	return int(v), nil
}

func (s *Setting) parseFloat(raw json.RawMessage) (float64, error) {
	var v *float64
	if err := json.Unmarshal(raw, &v); err != nil || v == nil || *v < s.Min || *v > s.Max {
		return 0, fmt.Errorf("found %s, want a number from %g to %g", short(raw), s.Min, s.Max)
	}
	return *v, nil
}

func (s *Setting) parsePair(raw json.RawMessage) (any, error) {
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		n, err := s.parseInt(raw)
		return [2]int{n, n}, err
	}
	if len(parts) != 2 {
		return nil, fmt.Errorf("found %s, want one number or [vertical, horizontal]", short(raw))
	}
	var pair [2]int
	for i, part := range parts {
		n, err := s.parseInt(part)
		if err != nil {
			return nil, err
		}
		pair[i] = n
	}
	return pair, nil
}

func (s *Setting) parsePadding(raw json.RawMessage) (any, error) {
	var mode string
	if json.Unmarshal(raw, &mode) == nil {
		if mode != "same" && mode != "valid" {
			return nil, fmt.Errorf(`found %q, want "same", "valid" or amounts`, mode)
		}
		return Padding{Mode: mode}, nil
	}
	var four [][]json.RawMessage
	if json.Unmarshal(raw, &four) == nil && len(four) == 2 && len(four[0]) == 2 && len(four[1]) == 2 {
		var p Padding
		for i := range 2 {
			for j := range 2 {
				n, err := s.parseInt(four[i][j])
				if err != nil {
					return nil, err
				}
				p.Amount[i][j] = n
			}
		}
		return p, nil
	}
	pair, err := s.parsePair(raw)
	if err != nil {
		return nil, fmt.Errorf(`found %s, want "same", "valid", a number, [vertical, horizontal] or [[top, bottom], [left, right]], each from %g to %g`, short(raw), s.Min, s.Max)
	}
	v := pair.([2]int)
	return Padding{Amount: [2][2]int{{v[0], v[0]}, {v[1], v[1]}}}, nil
}

func (s *Setting) parseShape(raw json.RawMessage) (any, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) == 0 || len(parts) > maxRank {
		return nil, fmt.Errorf("found %s, want an array of 1 to %d whole numbers", short(raw), maxRank)
	}
	shape := make([]int, len(parts))
	rest := 0
	for i, part := range parts {
		n, err := s.parseInt(part)
		if err != nil {
			return nil, err
		}
		if n == -1 {
			rest++
		}
		if n == 0 || rest > 1 {
			return nil, fmt.Errorf("found %s, want whole numbers of at least 1 and at most one -1", short(raw))
		}
		shape[i] = n
	}
	return shape, nil
}

// short is a JSON value as it fits in a message: cut, on one line, and with
// nothing in it that steers a terminal.
func short(raw []byte) string { return printable(record.Cut(string(raw))) }

// printable is a text in which everything that doesn't show, or that steers a
// terminal, is escaped.
func printable(s string) string {
	if !strings.ContainsFunc(s, steers) {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

// steers tells the control characters and those that turn a line's direction.
func steers(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// Values are all settings of a layer, defaults filled in and symbols resolved.
// Getters panic for a name or type that the kind's row lacks: a fault in the
// program, not in a document.
type Values map[string]any

func get[T any](v Values, name string) T {
	t, ok := v[name].(T)
	if !ok {
		panic(fmt.Sprintf("blueprint: no setting %q of type %T: %v", name, t, v))
	}
	return t
}

func (v Values) Int(name string) int         { return get[int](v, name) }
func (v Values) Float(name string) float64   { return get[float64](v, name) }
func (v Values) Bool(name string) bool       { return get[bool](v, name) }
func (v Values) Text(name string) string     { return get[string](v, name) }
func (v Values) Pair(name string) [2]int     { return get[[2]int](v, name) }
func (v Values) Padding(name string) Padding { return get[Padding](v, name) }
func (v Values) Shape(name string) []int     { return get[[]int](v, name) }

// values resolves a layer's settings for a member with this many columns.
func (k *Kind) values(l *Layer, columns int) (Values, error) {
	out := make(Values, len(k.Settings))
	for i := range k.Settings {
		s := &k.Settings[i]
		given, ok := l.Settings[s.Name]
		if !ok {
			if s.Default == nil {
				return nil, fmt.Errorf("setting %s: missing, want %s: %s", s.Name, s.Type, s.Help)
			}
			out[s.Name] = s.Default
			continue
		}
		v, err := s.value(given)
		if err != nil {
			return nil, fmt.Errorf("setting %s: %w", s.Name, err)
		}
		if s.Type == TypeCount {
			if v, err = resolveCount(v, columns); err != nil {
				return nil, fmt.Errorf("setting %s: %w", s.Name, err)
			}
		}
		out[s.Name] = v
	}
	for name := range l.Settings {
		if _, known := out[name]; !known {
			return nil, fmt.Errorf("setting %s: not a setting of %s, which has %s", name, k.Name, k.row().settingNames())
		}
	}
	return out, nil
}

// value is what parse gives of a value's text, without the text where the
// value is such a one already.
func (s *Setting) value(given any) (any, error) {
	if s.parsed(given) {
		return given, nil
	}
	raw, err := record.Text(given)
	if err != nil {
		return nil, err
	}
	return s.parse(raw)
}

// parsed tells whether v is a value that parse could have given.
func (s *Setting) parsed(v any) bool {
	within := func(n int) bool { return float64(n) >= s.Min && float64(n) <= s.Max }
	switch v := v.(type) {
	case int:
		return (s.Type == TypeCount || s.Type == TypeInt) && within(v)
	case float64:
		return s.Type == TypeFloat && v >= s.Min && v <= s.Max
	case bool:
		return s.Type == TypeBool
	case string:
		return s.Type == TypeEnum && slices.Contains(s.Options, v) || s.Type == TypeCount && (v == CountColumns || v == CountPoints)
	case [2]int:
		return s.Type == TypePair && within(v[0]) && within(v[1])
	}
	return false
}

func resolveCount(v any, columns int) (any, error) {
	switch v {
	case CountColumns:
		return columns, nil
	case CountPoints:
		if columns%2 != 0 {
			return nil, fmt.Errorf("found %q for %d columns, want an even number of columns: x and y of each point", CountPoints, columns)
		}
		return columns / 2, nil
	}
	return v, nil
}
