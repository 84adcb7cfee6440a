package blueprint

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// notInSchema are the bad documents, by the beginnings of their names, whose
// faults no schema can say: names that must agree, shapes that must fit,
// columns that must exist, sums.
var notInSchema = strings.Fields(`text-field-twice text-too-deep summary-control source-turns-direction input-huge
	member-twice columns-control columns-star-among-others columns-not-in-the-data output-layer output-shift-count output-flip-average
	layer-name-is-the-image layer-name-twice inputs-unknown inputs-cycle inputs-itself
	setting-points-of-odd-columns setting-shape-zero setting-shape-two-rests schedule-too-large-a-number text-not-utf8
	shape- size-
	recipe-beta-one recipe-epsilon-zero recipe-average recipe-stop-without-validation recipe-fold-above augment-rotate augment-scale augment-mirror augment-erase-area
	pairs-outside pairs-one-column pairs-two-axes pairs-names-without-the-other pairs-of-the-report`)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(SchemaID, value); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(SchemaID) // checks it against the draft's own schema
	if err != nil {
		t.Fatalf("%#v", err)
	}
	return schema
}

// What reading accepts, the schema accepts; what it refuses, the schema
// refuses too wherever a schema can.
func TestSchema(t *testing.T) {
	schema := compiled(t)
	for name, text := range documents(t, "good") {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	used := map[string]bool{}
	for name, text := range documents(t, "bad") {
		_, parsed := Parse(text)
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			continue // no JSON at all
		}
		refused := schema.Validate(v)
		if parsed == nil && refused != nil {
			t.Errorf("%s: accepted by Parse, but not by the schema: %v", name, refused)
		}
		i := slices.IndexFunc(notInSchema, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if i >= 0 {
			used[notInSchema[i]] = true
		}
		if (refused == nil) != (i >= 0) {
			t.Errorf("%s: found refused %v, want %v", name, refused != nil, i < 0)
		}
	}
	for _, prefix := range notInSchema {
		if !used[prefix] {
			t.Errorf("%s: no such bad document", prefix)
		}
	}
}

// Texts of every setting, of which the schema must take what the table takes.
func TestSchemaOfSettings(t *testing.T) {
	texts := strings.Fields(`0 1 2 -1 1.5 0.5 1024 1025 1048577 true false "columns" "points" "same" "valid" "relu" "shared" "none" "nearest"
		"glorot_uniform" "x" [1,2] [0,0] [1] [-1,3] [[1,2],[3,4]] [[1]] [1,2,3] {} [] "" 1e-13 1e31`)
	schema := compiled(t)
	for _, k := range Kinds {
		for i := range k.Settings {
			s := &k.Settings[i]
			for _, text := range texts {
				_, parse := s.parse([]byte(text))
				doc := strings.Replace(`{"blueprint":1,"name":"n","input":{"height":8,"width":8,"channels":1},"members":[{"name":"m","columns":["*"],"layers":[LAYER],
					"recipe":{"loss":{"kind":"mse"},"optimizer":{"kind":"sgd"},"rate":0.1,"epochs":3,"batch":4,"validation":0.2}}]}`, "LAYER", layerText(&k, s.Name, text), 1)
				v, err := jsonschema.UnmarshalJSON(strings.NewReader(doc))
				if err != nil {
					t.Fatal(err)
				}
				refused := schema.Validate(v)
				if parse == nil && refused != nil {
					t.Errorf("%s, %s = %s: taken by the table, refused by the schema: %v", k.Name, s.Name, text, refused)
				}
				if parse != nil && refused == nil && s.Type != TypeShape {
					t.Errorf("%s, %s = %s: taken by the schema, refused by the table: %v", k.Name, s.Name, text, parse)
				}
			}
		}
	}
}

// layerText is a layer of a kind with one setting given and all others that it needs.
func layerText(k *Kind, setting, value string) string {
	out := `{"name":"l","kind":"` + k.Name + `","` + setting + `":` + value
	if k.MinInputs > 1 {
		out += `,"inputs":["input","input"]`
	}
	for i := range k.Settings {
		if s := &k.Settings[i]; s.Default == nil && s.Name != setting {
			out += `,"` + s.Name + `":1`
		}
	}
	return out + "}"
}

func TestSchemaFile(t *testing.T) {
	found, err := os.ReadFile("../blueprint.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(found, Schema()) {
		t.Error("specs/blueprint.schema.json is stale: want what go generate ./specs/blueprint writes")
	}
}
