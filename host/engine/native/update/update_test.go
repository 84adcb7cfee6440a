package update

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

const n = 40007

// everywhere runs a test with each set of kernels, and compares the arrays that it changed after 1 and 3 threads.
func everywhere(t *testing.T, test func(t *testing.T, c *work.Caller, e *layer.Each, number func() []float32) [][]float32) {
	for _, set := range kernel.Sets() {
		t.Run(set.Name, func(t *testing.T) {
			var first [][]float32
			for _, threads := range []int{1, 3} {
				pool := work.New(threads)
				random := rand.New(rand.NewPCG(1, 2))
				got := test(t, pool.Caller(), layer.NewEach(set, threads), func() []float32 {
					x := make([]float32, n)
					for i := range x {
						x[i] = random.Float32()*2 - 1
					}
					return x
				})
				pool.Close()
				if first == nil {
					first = got
				}
				for i := range got {
					if !slices.Equal(got[i], first[i]) {
						t.Errorf("array %d differs with %d threads", i, threads)
					}
				}
			}
		})
	}
}

func near(t *testing.T, name string, i int, got float32, want float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= 1e-6*(1+math.Abs(want))) {
		t.Fatalf("%s %d: found %v, want %v", name, i, got, want)
	}
}

func TestSGD(t *testing.T) {
	for _, nesterov := range []bool{false, true} {
		everywhere(t, func(t *testing.T, c *work.Caller, e *layer.Each, numbers func() []float32) [][]float32 {
			w, v, g := numbers(), numbers(), numbers()
			oldW, oldV := slices.Clone(w), slices.Clone(v)
			SGD{Rate: 0.1, Momentum: 0.9, Nesterov: nesterov}.Step(c, e, w, v, g)
			for i := range w {
				wantV := 0.9*float64(oldV[i]) - 0.1*float64(g[i])
				move := wantV
				if nesterov {
					move = 0.9*wantV - 0.1*float64(g[i])
				}
				near(t, "velocity", i, v[i], wantV)
				near(t, "weight", i, w[i], float64(oldW[i])+move)
			}
			return [][]float32{w, v}
		})
	}
}

func TestAdam(t *testing.T) {
	for _, decay := range []float32{0, 0.02} {
		everywhere(t, func(t *testing.T, c *work.Caller, e *layer.Each, numbers func() []float32) [][]float32 {
			w, m, v, g := numbers(), numbers(), numbers(), numbers()
			for i := range v {
				v[i] *= v[i]
			}
			oldW, oldM, oldV := slices.Clone(w), slices.Clone(m), slices.Clone(v)
			Adam{Rate: 0.01, Beta1: 0.9, Beta2: 0.99, Rest1: 0.1, Rest2: 0.01, Epsilon: 1e-3, Correct1: 0.19, Correct2: 0.0199, Decay: decay}.Step(c, e, w, m, v, g)
			for i := range w {
				wantM := 0.9*float64(oldM[i]) + 0.1*float64(g[i])
				wantV := 0.99*float64(oldV[i]) + 0.01*float64(g[i])*float64(g[i])
				step := 0.01 * wantM / 0.19 / (math.Sqrt(wantV/0.0199) + 1e-3)
				near(t, "mean", i, m[i], wantM)
				near(t, "square", i, v[i], wantV)
				near(t, "weight", i, w[i], float64(oldW[i])*(1-0.01*float64(decay))-step)
			}
			return [][]float32{w, m, v}
		})
	}
}

func TestAverage(t *testing.T) {
	everywhere(t, func(t *testing.T, c *work.Caller, e *layer.Each, numbers func() []float32) [][]float32 {
		average, w := numbers(), numbers()
		old := slices.Clone(average)
		Average(c, e, average, w, 0.99, 0.01)
		for i := range w {
			near(t, "average", i, average[i], 0.99*float64(old[i])+0.01*float64(w[i]))
		}
		return [][]float32{average}
	})
}

// Gradients whose norm is beyond the limit are scaled to it, others are left as they are.
func TestClip(t *testing.T) {
	everywhere(t, func(t *testing.T, c *work.Caller, e *layer.Each, numbers func() []float32) [][]float32 {
		g := [][]float32{numbers(), numbers()[:100]}
		old := [][]float32{slices.Clone(g[0]), slices.Clone(g[1])}
		sum := 0.0
		for _, x := range old {
			for _, v := range x {
				sum += float64(v) * float64(v)
			}
		}
		norm := math.Sqrt(sum)
		if got := Clip(c, e, g, 1000); math.Abs(got-norm) > 1e-5*norm || !slices.Equal(g[0], old[0]) {
			t.Fatalf("a norm within the limit: found %v, want %v and gradients as they were", got, norm)
		}
		Clip(c, e, g, 1)
		for k := range g {
			for i, v := range g[k] {
				near(t, "gradient", i, v, float64(old[k][i])/(norm+1e-6))
			}
		}
		return g
	})
}
