package blueprint

// OverLength gives the recipe's schedules that run over the whole training, so
// that another number of epochs changes them at every moment: by their paths, as
// in rate and optimizer.momentum.
func (r *Recipe) OverLength() map[string]*Schedule {
	out := map[string]*Schedule{}
	for _, s := range r.schedules() {
		if s.of != nil && s.of.overLength() {
			out[s.name] = s.of
		}
	}
	return out
}

func (s *Schedule) overLength() bool {
	return s.Kind == "one_cycle" || (s.Kind == "linear" || s.Kind == "cosine") && s.From != s.To
}
