package blueprint

import (
	"bytes"
	"encoding/json"
	"slices"
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
			"scaling": object{"enum": append([]string{""}, Scalings...), "default": Scalings[0]},
		}),
		"members": list1(maxMembers, fields("name columns layers recipe", object{
			"name": pattern(layerName.String()),
			"columns": object{"type": "array", "minItems": 1, "maxItems": maxColumns, "uniqueItems": true,
				"items": object{"type": "string", "minLength": 1, "maxLength": maxColumnName}},
			"layers": list1(maxLayers, layerSchema()),
			"output": fields("", object{"layer": object{"type": "string"}, "scale": decimal(0, maxPixels), "offset": decimal(-maxPixels, maxPixels),
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
	return byKind(kindNames(), func(i int) object {
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
			if s.Default == nil {
				required += " " + s.Name
			}
		}
		return fields(required, properties)
	})
}

func recipeSchema() object {
	augment := object{
		"mirror": fields("", object{"share": schedule(), "axis": object{"oneOf": []object{decimal(0, maxDim), {"enum": []string{"auto"}}}}, "pairs": object{"type": "array",
			"items": object{"type": "array", "items": object{"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}}}),
		"erase": fields("share area", object{"share": schedule(), "area": schedule()}),
	}
	for _, s := range []string{"shift", "rotate", "scale", "brightness", "contrast", "noise"} {
		augment[s] = schedule()
	}
	out := fields("loss optimizer rate batch validation", object{
		"loss": lossSchema(), "optimizer": optimizerSchema(), "rate": schedule(),
		"epochs": integer(0, maxEpochs), "examples": integer(0, maxExamples), "batch": integer(1, maxBatch),
		"validation": decimal(0, 0.9), "seed": object{"type": "integer", "minimum": 0}, "split_seed": object{"type": "integer", "minimum": 0},
		"fold":    fields("number of", object{"number": integer(1, maxMembers), "of": integer(2, maxMembers)}),
		"subset":  fields("", object{"share": decimal(0, 1), "complete": object{"type": "boolean"}}),
		"augment": fields("", augment), "stop": fields("patience", object{"patience": integer(1, maxEpochs)}),
		"average": fields("decay", object{"decay": schedule()}), "calibrate": object{"type": "boolean"}, "start_from": object{"type": "string", "pattern": "^$|" + startFrom.String()},
	})
	positive := func(field string) object {
		return object{"required": []string{field}, "properties": object{field: object{"minimum": 1}}}
	}
	out["oneOf"] = []object{positive("epochs"), positive("examples")}
	return out
}

func schedule() object { return object{"$ref": "#/$defs/schedule"} }

// onlyOf has the properties of those kinds that have them, and wants the
// others to be absent (nil) or of the value that stands for it.
func onlyOf(kind string, of []string, property object, absent any) any {
	switch {
	case slices.Contains(of, kind):
		return property
	case absent == nil:
		return false
	}
	return object{"const": absent}
}

func lossSchema() object {
	return byKind(Losses, func(i int) object {
		return fields("kind", object{
			"rows":    object{"enum": []string{"", "complete", "filled"}, "default": "complete"},
			"delta":   onlyOf(Losses[i], []string{"huber", "wing"}, decimal(0, 1e6), 0),
			"epsilon": onlyOf(Losses[i], []string{"wing"}, decimal(0, 1e6), 0),
		})
	})
}

func optimizerSchema() object {
	sgd, adams := []string{"sgd"}, []string{"adam", "adamw"}
	return byKind(Optimizers, func(i int) object {
		kind := Optimizers[i]
		return fields("kind", object{
			"momentum": onlyOf(kind, sgd, schedule(), nil), "nesterov": onlyOf(kind, sgd, object{"type": "boolean"}, false),
			"beta1": onlyOf(kind, adams, schedule(), nil), "beta2": onlyOf(kind, adams, schedule(), nil),
			"epsilon": onlyOf(kind, adams, schedule(), nil), "decay": onlyOf(kind, adams[1:], schedule(), nil),
			"clip": schedule(),
		})
	})
}

// scheduleSchema is a number or an object of one of the kinds. No setting
// takes a value below 0.
func scheduleSchema() object {
	value := object{"type": "number", "minimum": 0}
	of := byKind(Schedules, func(i int) object {
		kind, required := Schedules[i], "kind from"
		if kind == "step" {
			required += " factor every"
		}
		return fields(required, object{
			"from": value, "to": onlyOf(kind, []string{"linear", "cosine"}, value, 0),
			"factor": onlyOf(kind, []string{"step"}, decimal(1e-6, 1e4), 0),
			"every":  onlyOf(kind, []string{"step"}, decimal(1e-6, maxEpochs), 0),
			"warmup": decimal(0, maxEpochs),
			"by":     object{"enum": []string{"", "epoch", "step"}, "default": "epoch"},
		})
	})
	return object{"if": object{"type": "object"}, "then": of, "else": value}
}

func (s *Setting) schema() object {
	two := func(items object) object {
		return object{"type": "array", "items": items, "minItems": 2, "maxItems": 2}
	}
	whole := integer(int64(s.Min), int64(s.Max))
	var out object
	switch s.Type {
	case TypeCount:
		out = object{"oneOf": []object{whole, {"enum": []string{CountColumns, CountPoints}}}}
	case TypeInt:
		out = whole
	case TypeFloat:
		out = decimal(s.Min, s.Max)
	case TypeBool:
		out = object{"type": "boolean"}
	case TypeEnum:
		out = object{"enum": s.Options}
	case TypePair:
		out = object{"oneOf": []object{whole, two(whole)}}
	case TypePadding:
		out = object{"oneOf": []object{{"enum": []string{"valid", "same"}}, whole, two(whole), two(two(whole))}}
	case TypeShape:
		out = list1(maxRank, whole)
	}
	out["description"] = s.Help
	if s.Default != nil {
		out["default"] = s.defaultText()
	}
	return out
}

// defaultText is a setting's default as it stands in a document.
func (s *Setting) defaultText() json.RawMessage {
	raw, err := marshal(s.Default)
	if err != nil {
		panic(err) // the table's defaults are JSON values
	}
	return s.canonical(raw)
}
