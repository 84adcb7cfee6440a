package convert

// Recognising is the second stage: what a file holds is taken for one of the
// things that a model can be made of.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/zoo/export"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// candidate is what a model can be made of.
type candidate interface {
	match(ctx context.Context, c *conversion) (matched, error)
}

// exported is a model that fkzoo wrote for others.
type exported struct {
	about  export.About
	arrays []tensor.Tensor
}

// networks are nolearn's, with their layers; each becomes a member.
type networks struct {
	all  []*legacy.Network
	size int // of the file, bytes, unpacked
}

// lists are parameters in Lasagne's order and layout, one list for each member
// of an architecture, or one with all members' after one another.
type lists []legacy.ParamList

// named are parameters under fkzoo's names, member/layer/parameter, laid out as
// a blueprint has them.
type named []legacy.ListedParam

// ofFkzoo is in the format of what fkzoo exported.
const ofFkzoo = " of fkzoo"

func (c *conversion) recognise(s *source) (candidate, error) {
	if s.pickle != nil {
		return c.recognisePickle(s)
	}
	switch {
	case errors.Is(s.aboutErr, export.ErrNoBlueprint):
	case c.As != "":
		c.receipt.Dropped = []model.ReceiptDrop{{What: "the file's own blueprint, history and provenance", Reason: "it is read as arrays of " + c.As + ", as was asked for"}}
	case s.aboutErr != nil:
		return nil, s.aboutErr
	default:
		c.receipt.Format = s.format + ofFkzoo + s.packing
		return exported{s.about, s.arrays}, nil
	}
	all, err := parameters(s.arrays)
	if err != nil {
		return nil, err
	}
	if len(all) > 0 && !slices.ContainsFunc(all, func(p legacy.ListedParam) bool { return strings.Count(p.Layer, "/") != 2 }) {
		return named(all), nil
	}
	if numbered(all) {
		for i := range all {
			all[i].Layer = ""
		}
	}
	return lists{{Params: all}}, nil
}

func (c *conversion) recognisePickle(s *source) (candidate, error) {
	switch {
	case len(s.pickle.Networks) == 0:
		return lists(s.pickle.Lists), nil
	case c.As != "":
		return nil, ErrOwnLayers
	}
	return networks{s.pickle.Networks, s.size}, nil
}

// elementTypes are NumPy's names for a file's types.
var elementTypes = map[tensor.DType]string{
	tensor.Float64: "f8", tensor.Float32: "f4", tensor.Float16: "f2", tensor.Int64: "i8", tensor.Int32: "i4", tensor.Int16: "i2", tensor.Int8: "i1",
	tensor.Uint64: "u8", tensor.Uint32: "u4", tensor.Uint16: "u2", tensor.Uint8: "u1", tensor.Bool: "b1",
}

// parameters takes arrays under their names.
func parameters(all []tensor.Tensor) (out []legacy.ListedParam, err error) {
	for _, t := range all {
		kind, ok := elementTypes[t.Type]
		if !ok {
			return nil, fmt.Errorf("tensor %s: found the type %s, want numbers of NumPy's types", t.Name, t.Type)
		}
		a, err := ndarray.New(t.Data, t.Shape, kind, "<", false)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		out = append(out, legacy.ListedParam{Layer: t.Name, Array: a})
	}
	return out, nil
}

// numbered puts arrays named arr_0, arr_1, ..., as numpy.savez names those of a
// list, in the order of their numbers.
func numbered(all []legacy.ListedParam) bool {
	at := map[string]int{}
	for _, p := range all {
		digits, ok := strings.CutPrefix(p.Layer, "arr_")
		n, err := strconv.Atoi(digits)
		if !ok || err != nil {
			return false
		}
		at[p.Layer] = n
	}
	slices.SortFunc(all, func(a, b legacy.ListedParam) int { return at[a.Layer] - at[b.Layer] })
	return true
}
