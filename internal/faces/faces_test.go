package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/fkzoo/fkzoo/internal/regions"
)

// The page shows what its record has, of the models that are in the program.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/photos.json")
	if err != nil {
		t.Fatal(err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	points, finder, err := digests()
	if err != nil || r.Points != points || r.Finder != finder {
		t.Errorf("found a record of %.16s and %.16s, %v, want one of %.16s and %.16s: make faces", r.Points, r.Finder, err, points, finder)
	}
	page, err := os.ReadFile("../../docs/photos.md")
	if err != nil {
		t.Fatal(err)
	}
	filled, err := regions.Fill(string(page), "faces", r.tables())
	if err != nil {
		t.Fatal(err)
	}
	if filled != string(page) {
		t.Error("docs/photos.md isn't what its record says: make faces FACES=page")
	}
	if r.Photos == nil || r.Data == nil || r.Nobody == nil || r.Film == nil || r.Variations == nil {
		t.Error("something isn't measured yet: make faces")
	}
	for _, v := range r.Variations {
		if v.Without != "" && what[v.Without] == "" {
			t.Errorf("%s: has no name on the page", v.Without)
		}
	}
}
