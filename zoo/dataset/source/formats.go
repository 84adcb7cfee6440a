package source

import (
	"context"

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
	Help string // what is read, in a line
	// Want is what an error says is wanted, as ".npy"; "" where another row says it.
	Want string
	// Extensions are those that files of the format usually have. They decide nothing
	// for a file that is given by its path: its content does.
	Extensions []string
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
		{Name: "demo", Help: "demo[:FACES[:SEED]]: faces that are drawn, their points exactly known",
			Names: demo.Is, Is: func(f *input.File) bool { return f.Kind == input.Bare && demo.Is(f.Name) }, Open: demo.Open},
		{Name: "folder", Help: "a folder with pictures, and with a CSV or .pts files that have their points",
			Is: isFolder, Open: openFolder},
		{Name: "picture", Help: "a PNG or JPEG", Want: "PNG, JPEG", Extensions: picture.Extensions, Is: picture.Is, Open: picture.Open},
		{Name: "npy", Help: "NumPy's array of images, [n,h,w] or [n,1,h,w], float32 or float64 from 0 to 1", Want: ".npy",
			Extensions: []string{".npy"}, Is: table.IsNPY, Open: table.OpenNPY},
		{Name: "list", Help: "a CSV that names picture files", Extensions: []string{".csv"}, Is: album.IsList, Open: album.OpenList},
		{Name: "kaggle", Help: "Kaggle's CSV with pixels, or a zip with it", Want: "CSV or a zip with one",
			Extensions: []string{".csv", ".zip"}, Is: table.IsCSV, Open: table.OpenCSV},
	}
}
