package model

// Receipt says how a model was converted from a file of other software: what
// became what, what was left out, and what the file would have run.
type Receipt struct {
	Source   string          `json:"source"` // the file's name, without its folder
	SHA256   string          `json:"sha256"`
	Bytes    int             `json:"bytes"`
	Format   string          `json:"format"`       // as in "pickle, protocol 4, in gzip"
	As       string          `json:"as,omitempty"` // the architecture that gave the layers' kinds, order and settings
	Tensors  []ReceiptTensor `json:"tensors"`
	Flips    []ReceiptFlips  `json:"flips,omitempty"` // pairs of columns that the file swaps in mirrored faces
	Dropped  []ReceiptDrop   `json:"dropped,omitempty"`
	Globals  []ReceiptGlobal `json:"globals,omitempty"` // of a pickle: all that it names
	Warnings []string        `json:"warnings,omitempty"`
	Before   []Receipt       `json:"before,omitempty"` // of a model that was exported and is read back here: of how it was converted first
}

// ReceiptTensor is an array of the file and the tensor that it became.
type ReceiptTensor struct {
	Tensor string `json:"tensor"` // member/layer/parameter
	Layer  string `json:"layer"`  // the file's name for the layer, if it has one
	Class  string `json:"class"`  // of the layer there
	Param  string `json:"param"`
	Shape  []int  `json:"shape"`  // as the file has it
	Change string `json:"change"` // what was done to it; "" nothing
}

// ReceiptFlips are the pairs of a member, as the file has them.
type ReceiptFlips struct {
	Member string  `json:"member"`
	Pairs  [][]int `json:"pairs"`
	Fault  string  `json:"fault,omitempty"` // why the recipe doesn't have them
}

// ReceiptDrop is something that the model doesn't have.
type ReceiptDrop struct {
	Member string `json:"member,omitempty"`
	What   string `json:"what"`
	Reason string `json:"reason"`
}

// ReceiptGlobal is something that a pickle names: a class or function of Python.
type ReceiptGlobal struct {
	Name    string `json:"name"`
	Named   int    `json:"named"`   // times
	Called  int    `json:"called"`  // times that reading the pickle in Python would call it
	Meaning string `json:"meaning"` // understood, opaque, or dangerous: it can run commands
}
