package python

import "strings"

// variable gives what a shared variable or constant of Theano holds.
func (o *Objects) variable(v Ref) (Ref, bool) {
	if !Within(o.Class(v).Module, "theano") {
		return v, false
	}
	if container, ok := o.Attr(v, "container"); ok {
		storage, _ := o.Attr(container, "storage")
		for x := range o.Items(storage) {
			return x, true
		}
		return v, false
	}
	return o.Attr(v, "data") // of a constant
}

// Function gives the name of a function of Theano's, which may be an Elemwise
// object: that of its scalar operation, in small letters.
func (o *Objects) Function(v Ref) string {
	if g := o.Global(v); g.Name != "" {
		return g.Name
	}
	op, ok := o.Attr(v, "scalar_op")
	if !ok {
		op = v // an operation of its own, as Softmax
	}
	return strings.ToLower(strings.TrimPrefix(o.Class(op).Name, "Scalar"))
}
