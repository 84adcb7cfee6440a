package header

import (
	"bytes"
	"testing"

	"github.com/fkzoo/fkzoo/format/scan"
)

// A header made to cost much when it is searched byte by byte is given up in time that its size allows.
func TestScavengeCosts(t *testing.T) {
	unit := append([]byte("\xd9\xf0"), bytes.Repeat([]byte("\x81\xa0\xdd\x00\x0f\xff\xff"), 34)...)
	unit = append(unit, 0xc0, 0xc0)
	head := append([]byte{0x81, 0xa1, 'x', 0xdd, 0, 0x0f, 0xff, 0xff}, bytes.Repeat(unit, 40_000)...)
	l := &loose{head: head}
	l.fields()
	l.infos(1000)
	if l.values > scan.MaxValues+2*perWalk {
		t.Errorf("walked %d values, want at most %d", l.values, scan.MaxValues)
	}
}
