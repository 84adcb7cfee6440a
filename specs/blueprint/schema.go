package blueprint

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"

	"github.com/fkzoo/fkzoo/specs/record"
)

// SchemaID is the name of the document's JSON Schema.
const SchemaID = "https://github.com/fkzoo/fkzoo/specs/blueprint.schema.json"

type object = map[string]any

// Schema is the document's JSON Schema (draft 2020-12), made from [Kinds] and
// the lists and limits of this package. It says what a document looks like;
// what no schema can say (shapes that fit, columns that exist) is [Parse]'s and
// [Document.Validate]'s. It accepts whatever they accept.
func Schema() []byte {
	doc := fields("blueprint name input members", object{
		"blueprint": object{"const": Version},
		"name":      pattern(docName.String()),
		"summary":   object{"type": "string", "maxLength": maxText},
		"source":    object{"type": "string", "maxLength": maxText},
		"input": fields("height width channels", object{
			"height": integer(1, maxSide), "width": integer(1, maxSide), "channels": integer(1, maxSide),
			"scaling": object{"enum": append([]string{""}, Scalings.Names()...), "default": Scalings[0].Name},
		}),
		"members": list1(maxMembers, fields("name columns layers recipe", object{
			"name": pattern(layerName.String()),
			"columns": object{"type": "array", "minItems": 1, "maxItems": maxColumns, "uniqueItems": true,
				"items": object{"type": "string", "minLength": 1, "maxLength": maxColumnName}},
			"layers": list1(maxLayers, layerSchema()),
			"output": fields("", object{"kind": object{"enum": append([]string{""}, Outputs.Names()...), "default": Outputs[0].Name}, "layer": object{"type": "string"}, "scale": decimal(0, maxPixels), "offset": decimal(-maxPixels, maxPixels),
				"uncertainty": fields("", object{"from": object{"enum": Signals.Names()},
					"signal": object{"type": "array", "maxItems": maxColumns, "items": object{"type": "array", "maxItems": maxKnots, "items": decimal(0, maxPixels)}},
					"error":  object{"type": "array", "maxItems": maxColumns, "items": object{"type": "array", "maxItems": maxKnots, "items": decimal(0, maxPixels)}}}),
				"shift":        object{"type": "array", "maxItems": maxColumns, "items": decimal(-maxPixels, maxPixels)},
				"flip_average": object{"type": "boolean"}}),
			"weight": decimal(0, maxWeight),
			"recipe": object{"$ref": "#/$defs/recipe"},
		})),
	})
	doc["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	doc["$id"] = SchemaID
	doc["title"] = "fkzoo blueprint, version 1"
	doc["$defs"] = object{"recipe": recipeSchema(), "schedule": scheduleSchema()}

	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		panic(err) // built of JSON values above
	}
	return out.Bytes()
}

func integer(least, most int64) object {
	return object{"type": "integer", "minimum": least, "maximum": most}
}

func decimal(least, most float64) object {
	return object{"type": "number", "minimum": least, "maximum": most}
}

func pattern(p string) object { return object{"type": "string", "pattern": p} }

func list1(most int, items object) object {
	return object{"type": "array", "minItems": 1, "maxItems": most, "items": items}
}

// fields is an object's schema; required are names between spaces.
func fields(required string, properties object) object {
	out := object{"type": "object", "properties": properties}
	if names := bytes.Fields([]byte(required)); len(names) > 0 {
		list := make([]string, len(names))
		for i, n := range names {
			list[i] = string(n)
		}
		out["required"] = list
	}
	return out
}

// byKind is an object that must be as its kind says; so a validator speaks of
// that kind alone.
func byKind(kinds []string, of func(i int) object) object {
	rules := make([]object, len(kinds))
	for i, kind := range kinds {
		rules[i] = object{"if": object{"properties": object{"kind": object{"const": kind}}}, "then": of(i)}
	}
	out := fields("kind", object{"kind": object{"enum": kinds}})
	out["allOf"] = rules
	return out
}

func layerSchema() object {
	return byKind(Kinds.Names(), func(i int) object {
		k := &Kinds[i]
		inputs := object{"type": "array", "items": object{"type": "string"}, "minItems": k.MinInputs, "maxItems": maxInputs,
			"description": `names of earlier layers or "` + InputName + `"; without it: the layer before`}
		if k.MaxInputs >= 0 {
			inputs["maxItems"] = k.MaxInputs
		}
		required := "name kind"
		if k.MinInputs > 1 {
			required += " inputs"
		}
		properties := object{"name": pattern(layerName.String()), "kind": object{"description": k.Help}, "inputs": inputs}
		for j := range k.Settings {
			s := &k.Settings[j]
			properties[s.Name] = s.schema()
			required += s.required()
		}
		return fields(required, properties)
	})
}

func recipeSchema() object {
	augment := settingsSchema(augmentSettings, nil)
	mirror := settingsSchema(mirrorSettings, object{"pairs": object{"type": "array",
		"items": object{"type": "array", "items": object{"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}}})
	axis := mirror["properties"].(object)
	axis["axis"] = object{"oneOf": []any{axis["axis"], object{"enum": []string{"auto"}}}}
	augment["properties"].(object)["mirror"] = mirror
	augment["properties"].(object)["erase"] = settingsSchema(eraseSettings, nil)

	out := settingsSchema(recipeSettings, object{
		"loss": kindSchema(Losses.Rows(), reflect.TypeFor[Loss]()), "optimizer": kindSchema(Optimizers.Rows(), reflect.TypeFor[Optimizer]()),
		"seed": object{"type": "integer", "minimum": 0}, "split_seed": object{"type": "integer", "minimum": 0},
		"fold": settingsSchema(foldSettings(maxMembers), nil), "subset": settingsSchema(subsetSettings, nil),
		"augment": augment, "stop": settingsSchema(stopSettings, nil), "average": settingsSchema(averageSettings, nil),
		"calibrate": object{"type": "boolean"}, "start_from": object{"type": "string", "pattern": "^$|" + startFrom.String()},
	})
	out["required"] = append([]string{"loss", "optimizer"}, out["required"].([]string)...)
	positive := func(field string) object {
		return object{"required": []string{field}, "properties": object{field: object{"minimum": 1}}}
	}
	out["oneOf"] = []object{positive("epochs"), positive("examples")}
	return out
}

// settingsSchema is the schema of an object of a recipe with these settings and further properties.
func settingsSchema(settings []Setting, further object) object {
	properties, required := object{}, ""
	maps.Copy(properties, further)
	for i := range settings {
		s := &settings[i]
		of := s.values()
		if s.Type == TypeEnum { // given as nothing, it is the default
			of = object{"enum": append([]string{""}, s.Options...), "default": s.Default}
		}
		properties[s.Name] = of
		required += s.required()
	}
	return fields(required, properties)
}

// kindSchema is the schema of a Go type whose fields are the settings of kinds.
// What a kind lacks has to be absent, or what stands for that.
func kindSchema(rows []Row, of reflect.Type) object {
	return byKind(Table[Row](rows).Names(), func(i int) object {
		absent := object{}
		for name, field := range record.Fields(reflect.Zero(of)) {
			switch {
			case name == "kind" || rows[i].setting(name) != nil:
			case field.Kind() == reflect.Pointer:
				absent[name] = false
			default:
				absent[name] = object{"const": field.Interface()}
			}
		}
		out := settingsSchema(rows[i].Settings, absent)
		required, _ := out["required"].([]string)
		out["required"] = append([]string{"kind"}, required...)
		return out
	})
}

// scheduleSchema is a number or an object of one of the kinds.
func scheduleSchema() object {
	value := Setting{Type: TypeValue}
	return object{"if": object{"type": "object"}, "then": kindSchema(Schedules.Rows(), reflect.TypeFor[Schedule]()), "else": value.values()}
}

// required is the setting's name behind a space where it has no default.
func (s *Setting) required() string {
	if s.Default != nil {
		return ""
	}
	return " " + s.Name
}

// schema is the schema of a layer kind's setting.
func (s *Setting) schema() object {
	out := s.values()
	out["description"] = s.Help
	if s.Default != nil {
		out["default"] = s.defaultText()
	}
	return out
}

// values is the schema of a setting's values.
func (s *Setting) values() object {
	two := func(items object) object {
		return object{"type": "array", "items": items, "minItems": 2, "maxItems": 2}
	}
	whole := integer(int64(s.Min), int64(s.Max))
	switch s.Type {
	case TypeCount:
		return object{"oneOf": []object{whole, {"enum": []string{CountColumns, CountPoints}}}}
	case TypeInt:
		return whole
	case TypeFloat:
		return decimal(s.Min, s.Max)
	case TypeBool:
		return object{"type": "boolean"}
	case TypeEnum:
		return object{"enum": s.Options}
	case TypePair:
		return object{"oneOf": []object{whole, two(whole)}}
	case TypePadding:
		return object{"oneOf": []object{{"enum": []string{"valid", "same"}}, whole, two(whole), two(two(whole))}}
	case TypeShape:
		return list1(maxRank, whole)
	case TypeSchedule:
		return object{"$ref": "#/$defs/schedule"}
	case TypeValue: // no setting that has schedules takes a value below 0
		return object{"type": "number", "minimum": 0}
	}
	panic("blueprint: setting type " + string(s.Type))
}

// defaultText is a setting's default as it stands in a document.
func (s *Setting) defaultText() json.RawMessage {
	raw, err := record.Text(s.Default)
	if err != nil {
		panic(err) // the table's defaults are JSON values
	}
	return s.canonical(raw)
}
