package blueprint

// OverLength gives the recipe's schedules that run over the whole training, so
// that another number of epochs changes them at every moment: by their paths, as
// in rate and optimizer.momentum.
func (r *Recipe) OverLength() map[string]*Schedule {
	out := map[string]*Schedule{}
	for path, s := range r.schedules() {
		if s.overLength() {
			out[path] = s
		}
	}
	return out
}
