// Package recipe says how nolearn trained a network as a blueprint's recipe and
// a model's history.
//
// It must not know the network's layers, or how it is trained here.
package recipe
