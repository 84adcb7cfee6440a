// Package legacy reads the files that nolearn, Lasagne and Theano left:
// pickles of networks, of parameters, and what NumPy writes of them. Out come
// layers with their settings, arrays in Lasagne's layout, the training's
// history and what the file tells of its recipe.
//
// No code of the file's is run, and none of the libraries is needed: what a
// pickle names is looked up in a table of what is known, and everything else
// stays a name. What values are to Python is package python's, arrays package
// ndarray's, layers package lasagne's; nolearn is read here. It must not know
// blueprints or model files: zoo/convert makes a model of what it finds.
package legacy
