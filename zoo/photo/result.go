package photo

import (
	"encoding/json"
	"math"
	"strings"
)

// A Result is what programs read of a photograph.
type Result struct {
	Image  string   `json:"image"`
	Width  int      `json:"width"` // in pixels, as its EXIF turns it
	Height int      `json:"height"`
	Faces  []Found  `json:"faces"`
	Error  string   `json:"error,omitempty"` // why it couldn't be read
	Frame  *int     `json:"frame,omitempty"` // of a film, from 0
	Time   *float64 `json:"time,omitempty"`  // of a film, in seconds
}

// A Found is a face in a [Result].
type Found struct {
	Box    [4]float64 `json:"box"` // x, y, width, height
	Score  float64    `json:"score"`
	Turn   float64    `json:"turn"`           // degrees to the right, in the plane
	Follow int        `json:"face,omitempty"` // of a film: its number, the same as long as it is seen
	Points Points     `json:"points"`
}

// Points are a face's, in an order; in JSON an object by name.
type Points []Point

// MarshalJSON writes {NAME: {"x", "y", "error"}}; an error that isn't known is null.
func (p Points) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, q := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(q.Name)
		if err != nil {
			return nil, err
		}
		value := struct {
			X     float64  `json:"x"`
			Y     float64  `json:"y"`
			Error *float64 `json:"error"`
		}{X: Rounded(q.X), Y: Rounded(q.Y)}
		if !math.IsNaN(q.Error) {
			e := Rounded(q.Error)
			value.Error = &e
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(text)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// Rounded has as many decimals as a coordinate is worth: hundredths of a pixel.
func Rounded(v float64) float64 { return math.Round(v*100) / 100 }

// NewResult is that of faces in a photograph of a size.
func NewResult(name string, width, height int, faces []Face) Result {
	r := Result{Image: name, Width: width, Height: height, Faces: []Found{}}
	for i := range faces {
		f := &faces[i]
		b := f.Box
		r.Faces = append(r.Faces, Found{
			Box:   [4]float64{Rounded(b.X), Rounded(b.Y), Rounded(b.Width), Rounded(b.Height)},
			Score: math.Round(f.Score*1000) / 1000, Turn: math.Round(f.Turn*10) / 10, Points: f.Points,
		})
	}
	return r
}
