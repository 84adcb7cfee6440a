package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Variable is the environment variable that names the set to use.
const Variable = "FKZOO_CPU"

// names are all sets' there are.
var names = []string{"avx512", "avx2", "neon", "plain"}

// Sets are those that this machine can run, the fastest first.
func Sets() []*Set { return append(machineSets(), &plainSet) }

// Choose gives the set of a name, or without one the fastest that this machine can run.
func Choose(name string) (*Set, error) {
	sets := Sets()
	if name == "" {
		return sets[0], nil
	}
	var can []string
	for _, s := range sets {
		if s.Name == name {
			return s, nil
		}
		can = append(can, s.Name)
	}
	if slices.Contains(names, name) {
		return nil, fmt.Errorf("processor: found %s, which this machine lacks, want one of what it has: %s", name, strings.Join(can, ", "))
	}
	return nil, fmt.Errorf("processor: found %q, want one of %s", name, strings.Join(can, ", "))
}

// FromEnvironment is [Choose] with what the environment variable [Variable] holds.
func FromEnvironment() (*Set, error) {
	s, err := Choose(os.Getenv(Variable))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Variable, err)
	}
	return s, nil
}
