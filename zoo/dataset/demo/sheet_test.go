package demo

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"

	"golang.org/x/image/draw"
)

// TestSheet draws faces with their points to the file in FKZOO_SHEET, for eyes
// to judge what no test can.
func TestSheet(t *testing.T) {
	path := os.Getenv("FKZOO_SHEET")
	if path == "" {
		t.SkipNow()
	}
	const cols, rows, zoom = 6, 4, 3
	s, err := Faces(context.Background(), cols*rows, 5)
	if err != nil {
		t.Fatal(err)
	}
	const cell = Size * zoom
	sheet := image.NewRGBA(image.Rect(0, 0, cols*cell, rows*cell))
	for i := range s.Len() {
		x0, y0 := i%cols*cell, i/cols*cell
		draw.CatmullRom.Scale(sheet, image.Rect(x0, y0, x0+cell, y0+cell), s.Gray(i), image.Rect(0, 0, Size, Size), draw.Src, nil)
		if i%2 == 1 {
			continue
		}
		row := s.Row(i)
		for p := 0; p < len(row); p += 2 {
			x, y := x0+int(row[p]*zoom), y0+int(row[p+1]*zoom)
			for d := -2; d <= 2; d++ {
				sheet.Set(x+d, y, color.RGBA{0, 255, 0, 255})
				sheet.Set(x, y+d, color.RGBA{0, 255, 0, 255})
			}
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, sheet); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
