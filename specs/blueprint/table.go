package blueprint

import (
	"slices"
	"strings"
)

// Table is all that a document may name of one sort, in the order of the
// documentation: [Kinds] of layers, [Losses], [Optimizers], [Schedules],
// [Activations], [Initializers], [Scalings]. Validation, defaults, the JSON
// Schema and the guide follow from the rows; whoever runs a document has a
// function for each row and finds it by the name.
type Table[R interface{ row() Row }] []R

// Row is what the rows of all tables say.
type Row struct {
	Name     string
	Help     string    // what it does, or its formula with where that is from
	Settings []Setting // what may be given beside the name
}

func (r Row) row() Row { return r }

// Rows are what all rows say, whatever the table is of.
func (t Table[R]) Rows() []Row {
	rows := make([]Row, len(t))
	for i := range t {
		rows[i] = t[i].row()
	}
	return rows
}

// Names are the rows' names.
func (t Table[R]) Names() []string {
	names := make([]string, len(t))
	for i, r := range t.Rows() {
		names[i] = r.Name
	}
	return names
}

// Row gives the row of that name, nil if there is none.
func (t Table[R]) Row(name string) *R {
	for i := range t {
		if t[i].row().Name == name {
			return &t[i]
		}
	}
	return nil
}

// Common are the names of the settings that every row has.
func (t Table[R]) Common() (names []string) {
	rows := t.Rows()
	for _, s := range rows[0].Settings {
		if !slices.ContainsFunc(rows, func(r Row) bool { return r.setting(s.Name) == nil }) {
			names = append(names, s.Name)
		}
	}
	return names
}

// setting gives the row's setting of that name, nil if there is none.
func (r Row) setting(name string) *Setting {
	for i := range r.Settings {
		if r.Settings[i].Name == name {
			return &r.Settings[i]
		}
	}
	return nil
}

func (r Row) settingNames() string {
	names := make([]string, len(r.Settings))
	for i, s := range r.Settings {
		names[i] = s.Name
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// having are the names of the rows that have a setting.
func having(rows []Row, setting string) (names []string) {
	for _, r := range rows {
		if r.setting(setting) != nil {
			names = append(names, r.Name)
		}
	}
	return names
}
