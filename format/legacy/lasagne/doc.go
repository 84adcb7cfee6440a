// Package lasagne reads the layers of a network of Lasagne's from a pickle: from
// the output layer back to the input, with their settings and learned arrays, as
// they are in Lasagne.
//
// It must not know what trained the network, or how fkzoo says a layer.
package lasagne
