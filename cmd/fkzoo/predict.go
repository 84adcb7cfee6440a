package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/draw"
)

func (p *program) predictCommand() *cli.Command {
	return &cli.Command{
		Name: "predict", Usage: "find the keypoints in images", ArgsUsage: "FILE.fkz... IMAGE|CSV|ZIP|NPY...",
		Description: "Images are PNG or JPEG files, Kaggle's training or test CSV, plain or zipped, or .npy arrays in [0, 1].\n" +
			"Coordinates are in each image's own pixels. Of several models, the mean answer is given.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "csv", Usage: "csv or json"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "a file in place of the standard output"},
			&cli.StringFlag{Name: "draw", Usage: "write each face with its points to a PNG in this `FOLDER`"},
			&cli.IntFlag{Name: "limit", Usage: "only the first `N` images"},
			flipAverageFlag, &cli.BoolFlag{Name: "force", Usage: "replace files that exist"}, backendFlag,
		},
		Action: p.predict,
	}
}

func (p *program) predict(c *cli.Context) error {
	var modelPaths, imagePaths []string
	for _, a := range c.Args().Slice() {
		if isModel(a) {
			modelPaths = append(modelPaths, a)
		} else {
			imagePaths = append(imagePaths, a)
		}
	}
	if f := c.String("format"); f != "csv" && f != "json" {
		return usagef("format: found %q, want csv or json", f)
	}
	if len(imagePaths) == 0 {
		return usagef("predict: found no image, want at least one")
	}
	if c.IsSet("limit") && c.Int("limit") < 1 {
		return usagef("limit: found %d, want at least 1", c.Int("limit"))
	}
	if err := checkFree(c.String("output"), c.Bool("force"), c.Args().Slice()...); err != nil {
		return err
	}
	models, err := loadModels(modelPaths, zoo.Load)
	if err != nil {
		return err
	}
	in, err := zoo.InputOf(models)
	if err != nil {
		return err
	}
	set, err := readImages(c, imagePaths, in.Height, in.Width)
	if err != nil {
		return err
	}
	p.tell(set)
	folder := c.String("draw")
	names := faceNames(set)
	if folder != "" {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
		for _, name := range names {
			if err := checkFree(filepath.Join(folder, name), c.Bool("force"), imagePaths...); err != nil {
				return err
			}
		}
	}
	b, err := p.backend(c)
	if err != nil {
		return err
	}
	defer b.Close()
	tick, end := p.tick("predicting")
	prediction, err := zoo.Predict(c.Context, models, set, zoo.PredictOptions{Backend: b, FlipAverage: flipAverage(c, models), Tick: tick})
	end()
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return writeCSV(w, set, prediction) }
	if c.String("format") == "json" {
		write = func(w io.Writer) error { return writeJSON(w, set, prediction) }
	}
	if path := c.String("output"); path != "" {
		err = atomicfile.Write(path, c.Bool("force"), write)
	} else {
		err = write(p.stdout)
	}
	if err != nil {
		return err
	}
	if folder != "" {
		return p.drawFaces(folder, names, set, prediction, c.Bool("force"))
	}
	return nil
}

func readImages(c *cli.Context, paths []string, height, width int) (set *dataset.Set, err error) {
	if name, _, _ := strings.Cut(paths[0], ":"); len(paths) == 1 && name == "demo" {
		set, err = readData(c.Context, paths[0])
	} else {
		set, err = dataset.ReadImages(c.Context, paths, height, width)
	}
	if limit := c.Int("limit"); err == nil && limit > 0 && limit < set.Len() {
		rows := make([]int, limit)
		for i := range rows {
			rows[i] = i
		}
		return set.Select(rows)
	}
	return set, err
}

// number32 writes a coordinate with as many digits as it takes to read it back.
func number32(v float32) string { return strconv.FormatFloat(float64(v), 'f', -1, 32) }

func writeCSV(w io.Writer, set *dataset.Set, prediction *zoo.Prediction) error {
	out := csv.NewWriter(w)
	if err := out.Write(append([]string{"image"}, prediction.Columns...)); err != nil {
		return err
	}
	record := make([]string, len(prediction.Columns)+1)
	for r := range set.Len() {
		record[0] = set.IDs[r]
		for c, v := range prediction.Original(set, r) {
			record[c+1] = number32(v)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// writeJSON writes a list of {"image": ..., "points": {column: pixels}}.
func writeJSON(w io.Writer, set *dataset.Set, prediction *zoo.Prediction) error {
	columns := make([]string, len(prediction.Columns))
	for i, c := range prediction.Columns {
		name, err := json.Marshal(c)
		if err != nil {
			return err
		}
		columns[i] = string(name)
	}
	out := bufio.NewWriter(w)
	out.WriteString("[")
	for r := range set.Len() {
		if r > 0 {
			out.WriteString(",")
		}
		name, err := json.Marshal(set.IDs[r])
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n  {\"image\": %s, \"points\": {", name)
		for c, v := range prediction.Original(set, r) {
			if c > 0 {
				out.WriteString(", ")
			}
			fmt.Fprintf(out, "%s: %s", columns[c], number32(v))
		}
		out.WriteString("}}")
	}
	out.WriteString("\n]\n")
	return out.Flush()
}

// faceNames are the rows' pictures' file names: the rows' own, made safe, each once.
func faceNames(set *dataset.Set) []string {
	out, used := make([]string, set.Len()), map[string]bool{}
	for r := range out {
		name := fileName(set.IDs[r])
		for n := 2; used[name]; n++ {
			name = fmt.Sprintf("%s-%d", fileName(set.IDs[r]), n)
		}
		used[name] = true
		out[r] = name + ".png"
	}
	return out
}

// drawFaces writes a PNG for each row.
func (p *program) drawFaces(folder string, names []string, set *dataset.Set, prediction *zoo.Prediction, force bool) error {
	for r := range set.Len() {
		face := faceOf(set, prediction, r)
		if len(set.Columns) > 0 {
			face.True = truth(set, prediction.Columns, r)
		}
		if err := draw.WriteFace(filepath.Join(folder, names[r]), force, &face, draw.Style{}); err != nil {
			return err
		}
	}
	fmt.Fprintf(p.stderr, "faces: %d in %s\n", set.Len(), printable(folder))
	return nil
}

// fileName turns a row's name into a file's: its last part, without the extension.
func fileName(id string) string {
	id = filepath.Base(filepath.ToSlash(id))
	id = strings.TrimSuffix(id, filepath.Ext(id))
	clean := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, id)
	if clean = strings.Trim(clean, "."); clean == "" {
		return "face"
	}
	return clean
}

// faceOf is a row's picture with its predicted points.
func faceOf(set *dataset.Set, prediction *zoo.Prediction, row int) draw.Face {
	f := pictureOf(set, row)
	f.Predicted = prediction.Row(row)
	return f
}

// pictureOf is a row's picture without points.
func pictureOf(set *dataset.Set, row int) draw.Face {
	f := draw.Face{Height: set.Height, Width: set.Width, Channels: set.Channels, ID: filepath.Base(set.IDs[row])}
	n := set.Pixels()
	if set.Floats != nil {
		f.Floats = set.Floats[row*n : (row+1)*n]
	} else {
		f.Bytes = set.Bytes[row*n : (row+1)*n]
	}
	return f
}
