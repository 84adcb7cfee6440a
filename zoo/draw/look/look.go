// Package look is what all pictures share: colours, and which letters can be drawn. It must not know what is drawn.
package look

import (
	"image/color"
	"strings"
	"unicode"
)

// Colours that the colour-blind tell apart.
var (
	Paper  = color.RGBA{0xff, 0xff, 0xff, 0xff}
	Ink    = color.RGBA{0x1c, 0x1f, 0x24, 0xff}
	Faint  = color.RGBA{0x60, 0x66, 0x70, 0xff} // of what is beside the matter
	Orange = color.RGBA{0xff, 0x6a, 0x13, 0xff} // of what a network answers
)

// Printable puts a space for what has no picture.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}
