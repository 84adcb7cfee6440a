// Package python says of a pickle's values what they are to Python: attributes
// and classes of objects, dicts and lists however the protocol keeps them,
// numbers, names, NumPy's arrays and what Theano's variables hold. It runs
// nothing, and what a small file may ask for is limited by the file's size.
//
// It must not know what the objects are for: Lasagne's layers and nolearn's
// networks are read by the packages above it.
package python
