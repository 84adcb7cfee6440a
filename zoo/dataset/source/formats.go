package source

import (
	"context"
	"slices"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/album"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
	"github.com/fkzoo/fkzoo/zoo/dataset/picture"
	"github.com/fkzoo/fkzoo/zoo/dataset/table"
)

// A Format is a form in which data comes: a row of [Formats], and a file that reads it.
type Format struct {
	Name string
	Help string // what is read, for people, as a part of a list
	// Want is what an error says is wanted, as ".npy"; "" where another row says it.
	Want string
	// Leads are the endings of files that say what the folder they lie in holds. A file
	// that is given by its path may have any name: its content decides.
	Leads []string
	// Is tells by its first bytes, or by more of it, whether a file has this format, or,
	// of a name that is no path, by the name.
	Is func(f *input.File) bool
	// Names, nil in most, tells which names are no paths but belong to the format.
	Names func(name string) bool
	// Open looks at a file. Rows have the size that is asked for, or else their own.
	Open func(ctx context.Context, f *input.File, size input.Size) (*dataset.Source, error)
}

// Formats are all that can be opened. The first that a file is one of opens it.
func Formats() []Format {
	return []Format{
		{Name: "demo", Help: "drawn faces (demo[:FACES[:SEED]])",
			Names: demo.Is, Is: func(f *input.File) bool { return f.Kind == input.Bare && demo.Is(f.Name) }, Open: demo.Open},
		{Name: "folder", Help: "a folder of pictures, with a CSV or .pts files that have their points",
			Is: isFolder, Open: openFolder},
		{Name: "picture", Help: "a picture, PNG or JPEG", Want: "PNG, JPEG", Is: picture.Is, Open: picture.Open},
		{Name: "npy", Help: "images as an .npy array, [n,h,w] or [n,1,h,w], of floats from 0 to 1", Want: ".npy",
			Is: table.IsNPY, Open: table.OpenNPY},
		{Name: "list", Help: "a CSV that names picture files", Leads: []string{".csv"}, Is: album.IsList, Open: album.OpenList},
		{Name: "kaggle", Help: "Kaggle's CSV with pixels, plain or zipped", Want: "CSV or a zip with one",
			Leads: []string{".csv"}, Is: table.IsCSV, Open: table.OpenCSV},
	}
}

// leads are the endings in all rows.
func leads() (all []string) {
	for _, f := range Formats() {
		for _, ending := range f.Leads {
			if !slices.Contains(all, ending) {
				all = append(all, ending)
			}
		}
	}
	return all
}
