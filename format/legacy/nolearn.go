package legacy

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/format/legacy/pickle"
)

// Network is one network of a file.
type Network struct {
	Columns []string        // its outputs, where the file names them
	Name    string          // what the file calls it, if anything
	Layers  []lasagne.Layer // in an order in which they can be computed; the last is the output
	History []Epoch
	Recipe  Recipe
	Dropped []Dropped
}

// Epoch is one entry of a training's history. What it doesn't have is NaN.
type Epoch struct {
	TrainLoss, ValidationLoss float64 // of y = (pixel - 48) / 48
	Seconds                   float64
}

// Recipe is what the file tells of the training; what it doesn't is zero.
type Recipe struct {
	Update        string               // Lasagne's function: nesterov_momentum, adam, ...
	Settings      map[string]float64   // of the update, by name: learning_rate, momentum, beta1, ...; as they are at the end
	Schedules     map[string][]float64 // those that were changed after each epoch: the values they took
	Loss          string               // Lasagne's function: squared_error
	Epochs, Batch int
	Validation    float64  // share held out
	Patience      int      // of early stopping
	Flips         bool     // a random half of each batch mirrored
	FlipPairs     [][2]int // columns that change places; nil: the file doesn't say
	FlipClass     string
}

// Dropped is something of the file that the result doesn't have.
type Dropped struct {
	What   string `json:"what"`
	Reason string `json:"reason"`
}

func (n *Network) drop(what, format string, args ...any) {
	n.Dropped = append(n.Dropped, Dropped{what, fmt.Sprintf(format, args...)})
}

// isNet tells whether a value is nolearn's NeuralNet, or of a class derived from it.
func (f *file) isNet(v ref) bool {
	return v.Kind() == pickle.Object && (f.Has(v, "layers_") || f.Has(v, "layers", "update") || f.IsClass(v, "nolearn", "NeuralNet"))
}

// net reads a NeuralNet.
func (f *file) net(v ref) (*Network, error) {
	n := &Network{Recipe: Recipe{Settings: map[string]float64{}, Schedules: map[string][]float64{}}}
	names, output, err := f.layersOf(v)
	if err != nil {
		return nil, err
	}
	if n.Layers, err = lasagne.Read(f.Objects, output, names); err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, l := range n.Layers {
		used[l.Name] = true
	}
	for _, name := range names {
		if !used[name] {
			n.drop("layer "+name, "the output does not depend on it")
		}
	}
	if err := f.history(n, v); err != nil {
		return nil, err
	}
	if err := f.recipe(n, v); err != nil {
		return nil, err
	}
	for _, name := range []string{"train_iter_", "eval_iter_", "predict_iter_"} {
		if fn, ok := f.Attr(v, name); ok && fn != pickle.Nothing {
			n.drop(name, "a compiled function of Theano, and with it the optimizer's velocities")
		}
	}
	slices.SortFunc(n.Dropped, func(a, b Dropped) int { return strings.Compare(a.What, b.What) })
	return n, nil
}

// layersOf gives nolearn's names of a net's layers, and the output.
func (f *file) layersOf(v ref) (names map[ref]string, output ref, err error) {
	names = map[ref]string{}
	layers, ok := f.Attr(v, "layers_")
	if !ok {
		return f.declared(v)
	}
	last := pickle.Nothing
	all := f.Mapping(layers)
	if err := f.Spend(len(all)); err != nil {
		return nil, 0, err
	}
	for _, p := range all {
		if len(names) > lasagne.MaxLayers {
			return nil, 0, fmt.Errorf("%w: found more than %d", lasagne.ErrLayers, lasagne.MaxLayers)
		}
		names[p.Value], last = f.Name(p.Key), p.Value
	}
	if last == pickle.Nothing {
		for x := range f.Items(f.Sequence(layers)) { // a plain list
			if last = x; len(names) > lasagne.MaxLayers {
				break
			}
			names[x] = ""
		}
	}
	output = last
	if o, ok := f.Attr(v, "_output_layers"); ok {
		var all []ref
		for x := range f.Items(f.Sequence(o)) {
			all = append(all, x)
		}
		if len(all) > 1 {
			return nil, 0, fmt.Errorf("%w: found %d outputs, want one", lasagne.ErrLayers, len(all))
		}
		if len(all) == 1 {
			output = all[0]
		}
	} else if o, ok := f.Attr(v, "_output_layer"); ok && o != pickle.Nothing {
		output = o
	}
	if output == pickle.Nothing {
		return nil, 0, fmt.Errorf("%w: found none, want a network that was initialized: this one holds no weights", lasagne.ErrLayers)
	}
	return names, output, nil
}

// declared is layersOf where there are no layers_, as nolearn had it until
// February 2015: the network hangs at _output_layer. Its layers have no names;
// those that the net was declared with are theirs if they are as many, of the
// same classes, in the same order.
func (f *file) declared(v ref) (names map[ref]string, output ref, err error) {
	output, ok := f.Attr(v, "_output_layer")
	if !ok || output == pickle.Nothing {
		return nil, 0, fmt.Errorf("%w: found none (no layers_), want a network that was initialized: this one holds no weights", lasagne.ErrLayers)
	}
	order, err := lasagne.Order(f.Objects, output)
	if err != nil {
		return nil, 0, err
	}
	names = map[ref]string{}
	list, _ := f.Attr(v, "layers")
	i := 0
	for entry := range f.Items(f.Sequence(list)) {
		if i == len(order) || f.Global(f.Index(entry, 1)).String() != f.Class(order[i]).String() {
			return nil, output, nil
		}
		names[order[i]] = f.Name(f.Index(entry, 0))
		i++
	}
	if i != len(order) {
		names = nil
	}
	return names, output, nil
}

// history reads train_history_, a list of dicts.
func (f *file) history(n *Network, v ref) error {
	list, ok := f.Attr(v, "train_history_")
	if !ok {
		return nil
	}
	for entry := range f.Items(f.Sequence(list)) {
		get := func(name string) float64 {
			if x, ok := f.Attr(entry, name); ok {
				if value, ok := f.Number(x); ok {
					return value
				}
			}
			return math.NaN()
		}
		const bytes = 8 // fewer than the shortest entry has of its own
		if err := f.Spend(bytes); err != nil {
			return fmt.Errorf("train_history_: %w", err)
		}
		n.History = append(n.History, Epoch{get("train_loss"), get("valid_loss"), get("dur")})
	}
	return nil
}

// recipe reads what the net's settings and callbacks tell of its training.
func (f *file) recipe(n *Network, v ref) error {
	r := &n.Recipe
	name := func(attr string) string {
		x, _ := f.Attr(v, attr)
		return f.Function(x)
	}
	whole := func(of ref, attr string) int {
		x, _ := f.Attr(of, attr)
		if value, ok := f.Number(x); ok && value == math.Trunc(value) && math.Abs(value) < 1<<31 {
			return int(value)
		}
		return 0
	}
	r.Update, r.Loss, r.Epochs = name("update"), name("objective_loss_function"), whole(v, "max_epochs")
	if r.Loss == "" {
		r.Loss = name("loss")
	}
	if o := name("objective"); o != "" && o != "objective" && o != "Objective" {
		n.drop("objective", "%s, a function of the file's own, of which a recipe can't tell", o)
	}
	for state := range f.States(v) {
		for _, p := range f.Mapping(state) {
			key := f.Name(p.Key)
			if setting, ok := strings.CutPrefix(key, "update_"); ok {
				if value, ok := f.Number(p.Value); ok {
					r.Settings[setting] = value
				}
			}
			if (key == "objective_l1" || key == "objective_l2") && p.Value != pickle.Nothing {
				n.drop(key, "%s: a penalty on the weights that a recipe has no place for", f.Show(p.Value))
			}
		}
	}
	for _, holder := range []string{"train_split", ""} {
		of := v
		if holder != "" {
			of, _ = f.Attr(v, holder)
		}
		if x, ok := f.Attr(of, "eval_size"); ok && r.Validation == 0 {
			r.Validation, _ = f.Number(x)
		}
	}
	iterator, _ := f.Attr(v, "batch_iterator_train")
	r.Batch = whole(iterator, "batch_size")
	f.flips(n, iterator)
	for _, event := range []string{"on_epoch_finished", "on_batch_finished", "on_training_started", "on_training_finished"} {
		list, _ := f.Attr(v, event)
		for x := range f.Items(f.Sequence(list)) {
			if err := f.callback(n, event, x); err != nil {
				return fmt.Errorf("%s: %w", event, err)
			}
		}
	}
	return nil
}

// flips reads a batch iterator that mirrors faces: by its class's name, or by
// the pairs that it carries.
func (f *file) flips(n *Network, iterator ref) {
	class := f.Class(iterator)
	pairs, ok := f.Attr(iterator, "flip_indices")
	if class.Name == "" || class.Name == "BatchIterator" && !ok {
		return
	}
	if !ok && !strings.Contains(strings.ToLower(class.Name), "flip") {
		n.drop("batch_iterator_train", "%s, a class of the file's own: what it does to the images isn't known", class)
		return
	}
	n.Recipe.Flips, n.Recipe.FlipClass = true, class.String()
	if !ok {
		return // the class has them, and a pickle doesn't say what a class has
	}
	n.Recipe.FlipPairs = [][2]int{}
	for x := range f.Items(f.Sequence(pairs)) {
		p, ok := f.Ints(x)
		if !ok || len(p) != 2 || len(n.Recipe.FlipPairs) > lasagne.MaxLayers {
			n.drop("flip_indices", "found %s, want pairs of columns", f.Show(x))
			return
		}
		n.Recipe.FlipPairs = append(n.Recipe.FlipPairs, [2]int(p))
	}
}

// callback reads one of nolearn's callbacks, which are classes of the user's
// own: known by what they carry.
func (f *file) callback(n *Network, event string, v ref) error {
	const bytes = 32 // fewer than the shortest one has of its own, with its class
	if err := f.Spend(bytes); err != nil {
		return err
	}
	class := f.Class(v).String()
	switch {
	case f.Has(v, "name", "start", "stop"): // the tutorial's AdjustVariable
		of, _ := f.Attr(v, "name")
		setting := strings.TrimPrefix(f.Name(of), "update_")
		var ends [2]float64
		for i, end := range []string{"start", "stop"} {
			x, _ := f.Attr(v, end)
			ends[i], _ = f.Number(x)
		}
		values := []float64{ends[0], ends[1]}
		if ls, ok := f.Attr(v, "ls"); ok {
			if a, err := f.Array(ls); err == nil && a.Len() > 1 {
				if err := f.Spend(a.Len()); err != nil {
					return err
				}
				values = a.Float64()
			}
		}
		values[0], values[len(values)-1] = ends[0], ends[1]
		n.Recipe.Schedules[setting] = values
	case f.Has(v, "patience"): // the tutorial's EarlyStopping
		x, _ := f.Attr(v, "patience")
		if p, ok := f.Number(x); ok && p >= 1 && p < 1<<31 {
			n.Recipe.Patience = int(p)
		}
		if w, _ := f.Attr(v, "best_weights"); w != pickle.Nothing {
			n.drop(class+".best_weights", "a copy of earlier weights; the layers' own are taken")
		}
	case f.Class(v).Name == "PrintLog" || f.Class(v).Name == "PrintLayerInfo" || v.Kind() == pickle.Nothing.Kind():
	default:
		if class == "." {
			class = f.Show(v)
		}
		n.drop(event, "%s, a class or function of the file's own: what it did isn't known", class)
	}
	return nil
}
