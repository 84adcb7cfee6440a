package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// reported is a network as the report on Kaggle's competition (2017) gives it.
type reported struct {
	name        string
	epochs      string
	train       string // losses, with commas between
	validation  string
	kaggle      string // score, private and public, where the report has one
	description string
}

// rmse gives the validation losses in pixels: 48 times the root.
func (r *reported) rmse() string {
	var out []string
	for _, s := range strings.Split(r.validation, ", ") {
		if v, err := strconv.ParseFloat(s, 64); err == nil {
			out = append(out, fmt.Sprintf("%.2f", 48*math.Sqrt(v)))
		}
	}
	return strings.Join(out, ", ")
}

// reportedNetworks are the report's figures; for net10's row see the page.
var reportedNetworks = []reported{
	{"net1", "1,000", "0.00151", "0.00277", "", "one hidden layer"},
	{"net2", "1,000", "0.00120", "0.00157", "", "convolutions"},
	{"net3", "3,000", "0.00078", "0.00124", "", "net2, flips"},
	{"net4", "3,000", "0.00013", "0.00147", "", "net2, rate and momentum that change"},
	{"net5", "3,000", "0.00030", "0.00119", "", "net4, flips"},
	{"net6", "3,000", "0.00128", "0.00111", "", "net5, dropout"},
	{"net7", "10,000", "0.00074", "0.00079", "2.85825, 2.94950", "net6, 1,000 hidden units"},
	{"net8", "by group", "0.00173, 0.00844", "0.00205, 0.00821", "", "six net7, by groups"},
	{"net9", "10,000", "0.00089", "0.00078", "", "pairs of 3x3 convolutions"},
	{"net10", "3,000", "0.00098", "0.00091", "", "triples of 3x3 convolutions"},
	{"net11", "10,000", "0.00060316", "0.00070", "2.74622, 2.84778", "net10, two hidden layers"},
	{"specialists", "by group", "", "", "3.45306, 3.57878", "two net7, by groups"},
}
