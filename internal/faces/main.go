// Command faces measures what docs/photos.md shows: the models in the program on photographs, on a data set, on pictures without a face
// and on a drawn film, and what each kind of variation of the drawn faces is worth. It keeps what it found in a record beside the page, and
// writes the page's tables from it: «make faces». It must not know how faces are found.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/internal/regions"
	"github.com/fkzoo/fkzoo/zoo"
)

// version is set at build from the repository's tag, as fkzoo's is.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "faces: "+err.Error())
		os.Exit(1)
	}
}

// A record is what was measured, kept beside the page.
type record struct {
	Points     string      `json:"points"` // digests of the models in the program
	Finder     string      `json:"finder"`
	Photos     *photos     `json:"photos,omitempty"`
	Data       *data       `json:"data,omitempty"`
	Nobody     []nobody    `json:"nobody,omitempty"`
	Film       []shake     `json:"film,omitempty"`
	Variations []variation `json:"variations,omitempty"`
}

// bench is where things are measured.
type bench struct {
	ctx    context.Context
	zoo    *zoo.Zoo
	data   string // the folder with the real data
	work   string // of temporary files
	out    io.Writer
	record record
}

// steps are what can be measured, each by itself.
var steps = map[string]func(*bench) error{
	"photos": (*bench).photos, "data": (*bench).onData, "nobody": (*bench).nobody, "film": (*bench).film, "variations": (*bench).variations,
}

func command(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("faces", flag.ContinueOnError)
	page := flags.String("page", "docs/photos.md", "the page whose tables are written")
	data := flags.String("data", os.Getenv("FKZOO_TESTDATA"), "the folder with photos and data")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted := flags.Args()
	if len(wanted) == 0 {
		wanted = []string{"photos", "data", "nobody", "film", "variations"}
	}
	for _, name := range wanted {
		if steps[name] == nil && name != "page" {
			return fmt.Errorf("%s: there is nothing of that name to measure, want photos, data, nobody, film, variations or page", name)
		}
	}
	b := &bench{ctx: ctx, data: *data, out: out}
	if b.work, err = os.MkdirTemp("", "faces-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	b.zoo = zoo.Open(zoo.Options{Backend: "go", Version: version})
	defer b.zoo.Close()
	keep := strings.TrimSuffix(*page, ".md") + ".json"
	if err := b.read(keep); err != nil {
		return err
	}
	for _, name := range wanted {
		if name == "page" {
			continue
		}
		fmt.Fprintf(out, "measuring %s\n", name)
		if err := steps[name](b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := b.write(keep); err != nil {
			return err
		}
	}
	return b.writePage(*page)
}

// read takes up what was measured before, of the same models.
func (b *bench) read(path string) error {
	points, finder, err := digests()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	} else if err == nil {
		err = json.Unmarshal(text, &b.record)
	}
	if r := &b.record; err == nil && (r.Points != points || r.Finder != finder) {
		*r = record{Points: points, Finder: finder, Variations: r.Variations} // these don't depend on the models
	}
	return err
}

func (b *bench) write(path string) error {
	return atomicfile.Write(path, true, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(b.record)
	})
}

func (b *bench) writePage(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	filled, err := regions.Fill(string(text), "faces", b.record.tables())
	if err != nil {
		return err
	}
	return atomicfile.Write(path, true, func(w io.Writer) error {
		_, err := io.WriteString(w, filled)
		return err
	})
}

// in is a path in the folder with the real data.
func (b *bench) in(parts ...string) (string, error) {
	if b.data == "" {
		return "", errors.New("found no folder with the real data, want it named by FKZOO_TESTDATA")
	}
	return filepath.Join(slices.Concat([]string{b.data}, parts)...), nil
}
