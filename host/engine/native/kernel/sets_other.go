//go:build !amd64 && !arm64

package kernel

func machineSets() []*Set { return nil }

func (s *Set) tile(int, bool, *Tile)   {}
func (s *Set) outer(int, bool, *Outer) {}
func (s *Set) columns(Op, *Columns)    {}
func (s *Set) peak(turns int)          { peakPlain(turns) }
func (s *Set) prefetch(*lines)         {}

func (s *Set) transform(Transform, int, *Tiles) {}

func (s *Set) dropout(a *Dropout) { dropoutPlain(a) }
