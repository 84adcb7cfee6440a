package blueprint

import (
	"bytes"
	"encoding/json"
)

// Schema is the document's JSON Schema (draft 2020-12), made from [Kinds] and
// the lists of this package. It says what a document looks like; what no
// schema can say (shapes that fit, columns that exist) is [Parse]'s and
// [Document.Validate]'s.
func Schema() []byte {
	type m = map[string]any
	text, count, share := m{"type": "string"}, m{"type": "integer", "minimum": 1}, m{"type": "number", "minimum": 0, "maximum": 1}
	ref := func(name string) m { return m{"$ref": "#/$defs/" + name} }
	object := func(required []string, properties m) m {
		return m{"type": "object", "required": required, "properties": properties}
	}
	name := m{"type": "string", "pattern": layerName.String()}
	atLeast0 := m{"type": "number", "minimum": 0}

	kinds := make([]any, len(Kinds))
	for i := range Kinds {
		k := &Kinds[i]
		properties := m{"name": name, "kind": m{"const": k.Name, "description": k.Help},
			"inputs": m{"type": "array", "items": text, "minItems": k.MinInputs, "description": "names of earlier layers or \"input\"; without it: the layer before"}}
		if k.MaxInputs >= 0 {
			properties["inputs"].(m)["maxItems"] = k.MaxInputs
		}
		required := []string{"name", "kind"}
		if k.MinInputs > 1 {
			required = append(required, "inputs")
		}
		for j := range k.Settings {
			s := &k.Settings[j]
			properties[s.Name] = s.schema()
			if s.Default == nil {
				required = append(required, s.Name)
			}
		}
		kinds[i] = object(required, properties)
	}
	optimizer := m{"kind": m{"enum": Optimizers}, "nesterov": m{"type": "boolean"}}
	for _, s := range []string{"momentum", "beta1", "beta2", "epsilon", "decay", "clip"} {
		optimizer[s] = ref("schedule")
	}
	augment := m{
		"mirror": object(nil, m{"share": share, "axis": atLeast0, "pairs": m{"type": "array", "items": m{"type": "array", "items": m{"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}}}),
		"erase":  object([]string{"share", "area"}, m{"share": share, "area": share}),
	}
	for _, s := range []string{"shift", "rotate", "scale", "brightness", "contrast", "noise"} {
		augment[s] = ref("schedule")
	}
	recipe := object([]string{"loss", "optimizer", "rate", "batch", "validation"}, m{
		"loss":      object([]string{"kind"}, m{"kind": m{"enum": Losses}, "rows": m{"enum": []string{"complete", "filled"}, "default": "complete"}, "delta": atLeast0, "epsilon": atLeast0}),
		"optimizer": object([]string{"kind"}, optimizer), "rate": ref("schedule"),
		"epochs": m{"type": "integer", "minimum": 1, "maximum": maxEpochs}, "examples": m{"type": "integer", "minimum": 1, "maximum": maxExamples},
		"batch":      m{"type": "integer", "minimum": 1, "maximum": maxBatch},
		"validation": m{"type": "number", "minimum": 0, "maximum": 0.9}, "seed": m{"type": "integer", "minimum": 0},
		"augment": object(nil, augment), "stop": object([]string{"patience"}, m{"patience": count}),
		"average": object([]string{"decay"}, m{"decay": ref("schedule")}), "start_from": text,
	})
	recipe["oneOf"] = []m{{"required": []string{"epochs"}}, {"required": []string{"examples"}}}

	doc := object([]string{"blueprint", "name", "input", "members"}, m{
		"blueprint": m{"const": Version}, "name": m{"type": "string", "pattern": docName.String()}, "summary": text, "source": text,
		"input": object([]string{"height", "width", "channels"}, m{"height": count, "width": count, "channels": count, "scaling": m{"enum": Scalings, "default": "unit"}}),
		"members": m{"type": "array", "minItems": 1, "maxItems": maxMembers, "items": object([]string{"name", "columns", "layers", "recipe"}, m{
			"name": name, "columns": m{"type": "array", "items": text, "minItems": 1, "maxItems": maxColumns, "uniqueItems": true},
			"layers": m{"type": "array", "minItems": 1, "maxItems": maxLayers, "items": m{"oneOf": kinds}},
			"output": object(nil, m{"layer": text, "scale": atLeast0, "offset": m{"type": "number"}}),
			"weight": atLeast0, "recipe": ref("recipe"),
		})},
	})
	doc["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	doc["title"] = "fkzoo blueprint, version 1"
	doc["$defs"] = m{"recipe": recipe, "schedule": m{"oneOf": []any{m{"type": "number"}, object([]string{"kind", "from"}, m{
		"kind": m{"enum": Schedules}, "from": m{"type": "number"}, "to": m{"type": "number"}, "factor": m{"type": "number"},
		"every": m{"type": "number"}, "warmup": atLeast0, "by": m{"enum": []string{"epoch", "step"}, "default": "epoch"},
	})}}}

	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(dropNil(doc)); err != nil {
		panic(err) // built of JSON values above
	}
	return out.Bytes()
}

// dropNil leaves out the empty "required" lists, which no schema may have.
func dropNil(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if list, ok := x.([]string); ok && list == nil {
				delete(v, k)
				continue
			}
			v[k] = dropNil(x)
		}
	case []any:
		for i := range v {
			v[i] = dropNil(v[i])
		}
	}
	return v
}

func (s *Setting) schema() map[string]any {
	type m = map[string]any
	number := func(kind string) m { return m{"type": kind, "minimum": s.Min, "maximum": s.Max} }
	two := func(items m) m { return m{"type": "array", "items": items, "minItems": 2, "maxItems": 2} }
	integer := number("integer")
	var out m
	switch s.Type {
	case TypeCount:
		out = m{"oneOf": []any{integer, m{"enum": []string{CountColumns, CountPoints}}}}
	case TypeInt:
		out = integer
	case TypeFloat:
		out = number("number")
	case TypeBool:
		out = m{"type": "boolean"}
	case TypeEnum:
		out = m{"enum": s.Options}
	case TypePair:
		out = m{"oneOf": []any{integer, two(integer)}}
	case TypePadding:
		out = m{"oneOf": []any{m{"enum": []string{"valid", "same"}}, integer, two(integer), two(two(integer))}}
	case TypeShape:
		out = m{"type": "array", "items": integer, "minItems": 1, "maxItems": maxRank}
	}
	out["description"] = s.Help
	if s.Default != nil {
		out["default"] = s.Default
	}
	return out
}
