package blueprint

import (
	"encoding/json"
	"fmt"
)

// Augment changes training images at random, each epoch anew. A setting of 0
// or nil is off. Points move along; one that leaves the image counts as empty.
// Mirror, rotation, scale and shift, in this order, are one bilinear resampling
// that repeats the image's border; then come contrast, brightness, noise and
// erase. Pixels are not clipped.
type Augment struct {
	Mirror     *Mirror   `json:"mirror,omitempty"`     // some faces turned left to right
	Shift      *Schedule `json:"shift,omitempty"`      // pixels: uniform in [-shift, shift], both axes
	Rotate     *Schedule `json:"rotate,omitempty"`     // degrees: uniform in [-rotate, rotate], clockwise around the centre
	Scale      *Schedule `json:"scale,omitempty"`      // share: factor uniform in [1-scale, 1+scale]
	Brightness *Schedule `json:"brightness,omitempty"` // of the range 0 to 1: added, uniform in [-brightness, brightness]
	Contrast   *Schedule `json:"contrast,omitempty"`   // share: factor around the mean, uniform in [1-contrast, 1+contrast]
	Noise      *Schedule `json:"noise,omitempty"`      // of the range 0 to 1: standard deviation of normal noise on each pixel
	Erase      *Erase    `json:"erase,omitempty"`      // a random rectangle hidden
	Extra      Extra     `json:"-"`
}

// Mirror turns a random share of each batch left to right: x becomes
// Axis - x and the columns of a pair change places.
type Mirror struct {
	Share *Schedule  `json:"share,omitempty"` // of each batch, rounded down; nil: half
	Axis  MirrorAxis `json:"axis,omitempty"`  // pixels; 0: the image's width, which for y = (x - width/2) / (width/2) is a change of sign; "auto": estimated from the data when training begins, and then kept here
	Pairs Pairs      `json:"pairs,omitzero"`  // of the member's columns, counted from 0, each once at most; nil: from the columns' names, left_ and right_; empty: none change places
	Extra Extra      `json:"-"`
}

// A MirrorAxis is a number of pixels, or [AutoAxis]: "auto" in JSON.
type MirrorAxis float64

// AutoAxis stands for the axis that the data's own labels have.
const AutoAxis MirrorAxis = -1

// AxisOf is the axis in pixels for images of this width, which it is where none is
// given, or not yet known.
func (m *Mirror) AxisOf(width int) float64 {
	if m.Axis <= 0 {
		return float64(width)
	}
	return float64(m.Axis)
}

// MarshalJSON writes a number, or "auto".
func (a MirrorAxis) MarshalJSON() ([]byte, error) {
	if a == AutoAxis {
		return []byte(`"auto"`), nil
	}
	return json.Marshal(float64(a))
}

// UnmarshalJSON reads a number, or "auto".
func (a *MirrorAxis) UnmarshalJSON(b []byte) error {
	if string(b) == `"auto"` {
		*a = AutoAxis
		return nil
	}
	var v float64
	if err := json.Unmarshal(b, &v); err != nil || v < 0 {
		return fmt.Errorf(`found %s, want a number of pixels or "auto"`, short(b))
	}
	*a = MirrorAxis(v)
	return nil
}

// Pairs are columns that change places.
type Pairs [][2]int

// Erase fills a random rectangle with the image's mean.
type Erase struct {
	Share Schedule `json:"share"` // of the images
	Area  Schedule `json:"area"`  // largest share of an image's area; its height is half to twice its width
	Extra Extra    `json:"-"`
}

var (
	augmentSettings = []Setting{
		scheduled("shift", 0, 0, maxDim, "pixels"), scheduled("rotate", 0, 0, 180, "degrees"), scheduled("scale", 0, 0, 0.9, "share"),
		scheduled("brightness", 0, 0, 1, "of the range 0 to 1"), scheduled("contrast", 0, 0, 1, "share"), scheduled("noise", 0, 0, 1, "of the range 0 to 1"),
	}
	mirrorSettings = []Setting{scheduled("share", 0.5, 0, 1, "of each batch"), number("axis", 0, 0, maxDim, "pixels")}
	eraseSettings  = []Setting{
		{Name: "share", Type: TypeSchedule, Max: 1, Help: "of the images"}, {Name: "area", Type: TypeSchedule, Max: 1, Help: "share of an image's area"},
	}
)
