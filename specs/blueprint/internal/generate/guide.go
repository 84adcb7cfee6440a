package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// generated is a part of the guide that this command writes:
//
//	<!-- generated: fields Recipe -->
//	...
//	<!-- end -->
var generated = regexp.MustCompile(`(?s)(<!-- generated: ([^\n]+?) -->\n).*?(<!-- end -->)`)

// fill gives the guide with its generated parts made anew.
func fill(guide string, part func(name string) (string, error)) (string, error) {
	var first error
	out := generated.ReplaceAllStringFunc(guide, func(old string) string {
		m := generated.FindStringSubmatch(old)
		text, err := part(m[2])
		if err != nil && first == nil {
			first = fmt.Errorf("part %q: %w", m[2], err)
		}
		return m[1] + text + m[3]
	})
	if strings.Count(guide, "<!-- generated: ") != len(generated.FindAllString(guide, -1)) {
		return "", fmt.Errorf("found a generated part without an end, want <!-- end --> after each")
	}
	return out, first
}

// part gives a generated part by its name: "kinds", "list TABLE" or "fields TYPE".
func (s *source) part(name string) (string, error) {
	what, of, _ := strings.Cut(name, " ")
	switch what {
	case "kinds":
		return kinds(), nil
	case "list":
		return list(of)
	case "fields":
		return s.fields(of)
	}
	return "", fmt.Errorf("found %q, want kinds, list or fields", what)
}

// kinds has a section for each row of the table of layer kinds.
func kinds() string {
	var out strings.Builder
	for _, k := range blueprint.Kinds {
		fmt.Fprintf(&out, "\n### %s\n\n%s. %s\n", k.Name, sentence(k.Help), inputs(k))
		if len(k.Settings) == 0 {
			continue
		}
		out.WriteString("\n| setting | takes | default | meaning |\n| --- | --- | --- | --- |\n")
		for _, s := range k.Settings {
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", s.Name, takes(s), defaultOf(s), plain(s.Help))
		}
	}
	return out.String() + "\n"
}

// tables are what the guide lists.
var tables = map[string][]blueprint.Row{
	"Outputs": blueprint.Outputs, "Signals": blueprint.Signals, "Scalings": blueprint.Scalings, "Activations": blueprint.Activations.Rows(), "Initializers": blueprint.Initializers.Rows(),
	"Losses": blueprint.Losses, "Optimizers": blueprint.Optimizers.Rows(), "Schedules": blueprint.Schedules.Rows(),
}

// kindsOf are the tables of the Go types whose fields are the settings of kinds.
var kindsOf = map[string][]blueprint.Row{"Loss": tables["Losses"], "Optimizer": tables["Optimizers"], "Schedule": tables["Schedules"]}

// list is a table's rows by name and help.
func list(name string) (string, error) {
	rows, ok := tables[name]
	if !ok {
		return "", errors.New("no such table")
	}
	var out strings.Builder
	out.WriteString("| name | meaning |\n| --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&out, "| `%s` | %s |\n", r.Name, plain(r.Help))
	}
	return out.String(), nil
}

// settings has a line for a setting of kinds, or several where they differ in it.
func settings(rows []blueprint.Row, name string) string {
	var lines []string
	of := map[string][]string{}
	for _, r := range rows {
		for _, s := range r.Settings {
			if s.Name != name {
				continue
			}
			line := fmt.Sprintf("%s | %s | %s", takes(s), defaultOf(s), plain(s.Help))
			if of[line] == nil {
				lines = append(lines, line)
			}
			of[line] = append(of[line], r.Name)
		}
	}
	var out strings.Builder
	for _, line := range lines {
		who := plain(strings.Join(of[line], ", "))
		if len(of[line]) == len(rows) {
			who = "all"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", name, who, line)
	}
	return out.String()
}

var number = []string{"No", "One", "Two", "Three", "Four"}

func inputs(k blueprint.Kind) string {
	switch {
	case k.MaxInputs < 0:
		return number[k.MinInputs] + " inputs or more."
	case k.MinInputs == k.MaxInputs && k.MinInputs == 1:
		return "One input."
	}
	return number[k.MinInputs] + " to " + strings.ToLower(number[k.MaxInputs]) + " inputs."
}

// takes says what values a setting has.
func takes(s blueprint.Setting) string {
	limits := fmt.Sprintf("%s to %s", count(s.Min), count(s.Max))
	switch s.Type {
	case blueprint.TypeCount:
		return "whole number, " + limits + ", `\"columns\"` or `\"points\"`"
	case blueprint.TypeInt:
		return "whole number, " + limits
	case blueprint.TypeFloat:
		return "number, " + limits
	case blueprint.TypeBool:
		return "`true` or `false`"
	case blueprint.TypeEnum:
		return "`\"" + strings.Join(s.Options, "\"`, `\"") + "\"`"
	case blueprint.TypePair:
		return "pair, " + limits
	case blueprint.TypePadding:
		return "padding, " + limits
	case blueprint.TypeShape:
		return "array of whole numbers"
	case blueprint.TypeSchedule:
		return "[schedule](#schedule), " + limits
	case blueprint.TypeValue:
		return "number"
	}
	return string(s.Type)
}

// count is a number as people write it.
func count(v float64) string {
	text := fmt.Sprintf("%g", v)
	if v == float64(int64(v)) && v >= 10_000 && v < 1e12 {
		text = fmt.Sprintf("%d", int64(v))
		for i := len(text) - 3; i > 0; i -= 3 {
			text = text[:i] + "," + text[i:]
		}
	}
	return text
}

func defaultOf(s blueprint.Setting) string {
	if s.Default == nil {
		return "required"
	}
	text, err := json.Marshal(s.Default)
	if err != nil {
		return err.Error()
	}
	return "`" + shortPair(string(text)) + "`"
}

// shortPair is 3 for [3,3].
func shortPair(text string) string {
	if a, b, ok := strings.Cut(strings.Trim(text, "[]"), ","); ok && a == b {
		return a
	}
	return text
}

// plain is a text as Markdown that shows it as it stands, with Go's links to
// names as links within the guide.
func plain(text string) string {
	text = strings.NewReplacer("*", `\*`, "|", `\|`, "<", `&lt;`, "_", `\_`).Replace(text)
	return goLink.ReplaceAllStringFunc(text, func(link string) string {
		name := strings.Trim(link, "[]")
		return fmt.Sprintf("[%s](#%s)", strings.ToLower(name), strings.ToLower(name))
	})
}

var goLink = regexp.MustCompile(`\[[A-Z][A-Za-z]+\]`)

// sentence begins with a capital letter.
func sentence(text string) string {
	text = plain(text)
	return strings.ToUpper(text[:1]) + text[1:]
}
