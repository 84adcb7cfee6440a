package format

// Limits of the reader and the writer, far above any honest file. The text in specs/fkz.md states them too.
const (
	MaxHeader = 128 << 20 // bytes of the header
	MaxDepth  = 128       // containers within each other, the header's own map counted
	MaxValues = 1 << 24   // values in the header, containers and keys counted
	MaxTensor = 1<<32 - 1 // bytes of one tensor
	MaxRank   = 32        // axes of one tensor
	MaxName   = 1024      // bytes of a tensor's name

	// MaxTensors is how many tensors a file may have.
	MaxTensors = 100_000
)
