package demo

import (
	"fmt"
	"image"
	"math"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/film"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/person"
)

// A Person is one whose face is seen in a drawn scene.
type Person struct {
	X, Y, Width, Height float64     // around brows to chin and the face's sides, in pixels
	Points              [30]float32 // of [Columns]
}

// A staging is what a scene is to have.
type staging struct {
	people            int
	smallest, largest float64 // the longer side of a face, in pixels
	inside            float64 // the least part of a face that is within the picture
	clear             bool    // taken with a good camera
}

// scene draws a picture of people, none for those that find no place, and tells where their faces are.
func scene(c *person.Canvas, r *num.Random, s staging) []Person {
	b := film.NewBackdrop(r)
	b.Busy(r, num.Mul(s.smallest, 1.6)/float64(max(c.Width, c.Height)))
	b.Paint(c.Picture, 0.5)
	boxes := places(c, r, s)
	light := new(person.Face)
	light.Skin = 0.5
	light.Lighting(r)
	var people []Person
	for i := range boxes {
		f := person.NewFace(r)
		f.Light = light.Light
		f.Brighten()
		f.Clothes.Long = r.Between(80, 380)
		if r.Chance(0.12) {
			f.Roll = num.TurnBy(num.Mul(0.45, num.Mul(2, r.Unit())-1)) // within 48 degrees
		}
		if r.Chance(0.25) {
			f.Yaw = num.TurnBy(num.Mul(r.Sign(), r.Between(0.35, 0.84))) // 39 to 80 degrees
		}
		away := i > 0 && r.Chance(0.06)
		if away {
			f.Yaw = num.TurnOf(-f.Yaw.C, f.Yaw.S)
			f.Extra.Props, f.Extra.Glasses = nil, false
		}
		p := place(c, f, &boxes[i])
		for k := range people {
			if covered(c, &people[k]) > 0.4 {
				people[k].Width = 0
			}
		}
		if !away {
			people = append(people, p)
		}
	}
	b.Caption(c.Picture)
	cam := film.NewCamera(r)
	if s.clear {
		cam = film.Good(&cam)
	}
	c.Photograph(&cam)
	seen := people[:0]
	for _, p := range people {
		if p.Width > 0 {
			seen = append(seen, p)
		}
	}
	return seen
}

// places finds boxes that don't cover each other, small ones first: those are further away.
func places(c *person.Canvas, r *num.Random, s staging) []Person {
	var all []Person
	for range s.people {
		side := num.Mul(s.smallest, num.Power(s.largest/s.smallest, r.Unit()))
		for range 12 {
			w := num.Mul(side, 0.85)
			out := num.Mul(1-s.inside, side)
			p := Person{Width: w, Height: side, X: r.Between(-out, float64(c.Width)-w+out), Y: r.Between(-out, float64(c.Height)-side+out)}
			free := true
			for i := range all {
				q := &all[i]
				gapX := max(p.X, q.X) - min(p.X+p.Width, q.X+q.Width)
				gapY := max(p.Y, q.Y) - min(p.Y+p.Height, q.Y+q.Height)
				free = free && max(gapX, gapY) > num.Mul(0.06, max(p.Height, q.Height))
			}
			if free {
				all = append(all, p)
				break
			}
		}
	}
	for i := range all { // by size
		for k := i; k > 0 && all[k].Height < all[k-1].Height; k-- {
			all[k], all[k-1] = all[k-1], all[k]
		}
	}
	return all
}

// place draws a face so that it fills a box, as far as its proportions let it.
func place(c *person.Canvas, f *person.Face, box *Person) Person {
	c.Begin(f)
	lo, hi := c.Extent(f)
	f.Scale = min(box.Width/(hi.X-lo.X), box.Height/(hi.Y-lo.Y))
	f.X = box.X + num.Mul(box.Width, 0.5) - num.Mul(f.Scale, (lo.X+hi.X)/2)
	f.Y = box.Y + num.Mul(box.Height, 0.5) - num.Mul(f.Scale, (lo.Y+hi.Y)/2)
	c.Person(f)
	p := Person{X: f.X + num.Mul(f.Scale, lo.X), Y: f.Y + num.Mul(f.Scale, lo.Y), Width: num.Mul(f.Scale, hi.X-lo.X), Height: num.Mul(f.Scale, hi.Y-lo.Y)}
	for k, q := range c.Keypoints(f) {
		p.Points[2*k], p.Points[2*k+1] = float32(q.X), float32(q.Y)
	}
	return p
}

// covered is the part of a face that the person drawn last hides.
func covered(c *person.Canvas, p *Person) float64 {
	const steps = 12
	n := 0
	for i := range steps * steps {
		if c.Hides(p.X+num.Mul(p.Width, (float64(i%steps)+0.5)/steps), p.Y+num.Mul(p.Height, (float64(i/steps)+0.5)/steps)) {
			n++
		}
	}
	return float64(n) / (steps * steps)
}

// sceneSize is the height and width of the scenes that networks learn from, mostPeople how many may be in one.
const (
	sceneSize  = 160
	mostPeople = 10
)

// sceneKind are pictures of none to some people, with the boxes of their faces around brows, chin and the sides, in columns face1_x, face1_y,
// face1_width, face1_height and so on, empty where there are fewer.
var sceneKind = kind{"scenes", "scenes", sceneSize, boxColumns(), 0x7363656e6573, func(c *person.Canvas, r *num.Random, out []uint8, points []float32) {
	people := scene(c, r, staged(r))
	c.Develop(out)
	for i := range points {
		points[i] = float32(math.NaN())
	}
	for i, p := range people {
		copy(points[4*i:], []float32{float32(p.X), float32(p.Y), float32(p.Width), float32(p.Height)})
	}
}}

func boxColumns() []string {
	var out []string
	for i := range mostPeople {
		for _, what := range []string{"x", "y", "width", "height"} {
			out = append(out, fmt.Sprintf("face%d_%s", i+1, what))
		}
	}
	return out
}

// staged draws what a scene is to have: nobody, one who may be near, or several.
func staged(r *num.Random) staging {
	s := staging{smallest: 13, largest: 130, inside: 0.8}
	switch p := r.Unit(); {
	case p < 0.2:
	case p < 0.5:
		s.people = 1
	default:
		s.people = 2 + int(num.Mul(num.Sq(r.Unit()), mostPeople-2))
		s.largest = 80
	}
	return s
}

// Limits of a scene that is drawn for people to look at.
const (
	leastSide = 160
	mostSide  = 4000
)

func checkSize(what string, width, height int) error {
	if min(width, height) < leastSide || max(width, height) > mostSide {
		return fmt.Errorf("%s: found a size of %dx%d, want sides of %d to %d pixels", what, width, height, leastSide, mostSide)
	}
	return nil
}

// Scene draws a picture in colour of at most so many people, as many as find a place, and tells where their faces are. It depends on what
// it is given alone.
func Scene(seed uint64, width, height, people int) (*image.RGBA, []Person, error) {
	if err := checkSize("scene", width, height); err != nil {
		return nil, nil, err
	}
	if people < 0 || people > mostPeople {
		return nil, nil, fmt.Errorf("scene: found %d people, want 0 to %d", people, mostPeople)
	}
	c := person.NewCanvas(film.NewPicture(width, height, true))
	r := num.NewRandom(seed^sceneKind.stream, uint64(width)<<32|uint64(height)<<8|uint64(people))
	side := float64(min(width, height))
	seen := scene(c, r, staging{people: people, smallest: num.Mul(side, 0.12), largest: num.Mul(side, 0.4), inside: 1, clear: true})
	return rgba(c.Picture), seen, nil
}

// Turning draws the frames of a film of one head that turns from one side to the other and back, by up to 55 degrees, and nods a little: fn
// is called with each, and where its face is, until it returns an error.
func Turning(seed uint64, width, height, frames int, fn func(frame int, m *image.RGBA, p Person) error) error {
	if err := checkSize("film", width, height); err != nil {
		return err
	}
	if frames < 1 {
		return fmt.Errorf("film: found %d frames, want at least 1", frames)
	}
	r := num.NewRandom(seed^sceneKind.stream, 1<<60)
	f := person.NewFace(r)
	f.Extra.Props, f.Clothes.Long = nil, 300
	b := film.NewBackdrop(r)
	cam := film.NewCamera(r)
	c := person.NewCanvas(film.NewPicture(width, height, true))
	side := num.Mul(float64(height), 0.45)
	box := Person{Width: side, Height: side, X: num.Mul(float64(width)-side, 0.5), Y: num.Mul(float64(height)-side, 0.4)}
	f.Turn(0, 0)
	at := place(c, f, &box)
	x, y, scale := f.X, f.Y, f.Scale
	for i := range frames {
		t := num.Mul(4, float64(i)/float64(frames)) // there and back: 0, 1, 0, -1, 0
		wave := t
		switch {
		case t > 3:
			wave = t - 4
		case t > 1:
			wave = 2 - t
		}
		wave = num.Mul(wave, 1.5-num.Mul(0.5, num.Sq(wave)))
		f.Turn(num.Mul(0.52, wave), num.Mul(0.12, num.Sq(wave)))
		b.Paint(c.Picture, scale)
		c.Begin(f)
		lo, hi := c.Extent(f)
		f.X, f.Y, f.Scale = x, y, scale
		c.Person(f)
		p := at
		p.X, p.Y = x+num.Mul(scale, lo.X), y+num.Mul(scale, lo.Y)
		p.Width, p.Height = num.Mul(scale, hi.X-lo.X), num.Mul(scale, hi.Y-lo.Y)
		for k, q := range c.Keypoints(f) {
			p.Points[2*k], p.Points[2*k+1] = float32(q.X), float32(q.Y)
		}
		shot := film.Good(&cam)
		shot.Seed(uint64(i))
		c.Photograph(&shot)
		if err := fn(i, rgba(c.Picture), p); err != nil {
			return err
		}
	}
	return nil
}

// EmptyKinds are the kinds of pictures that [Empty] draws.
func EmptyKinds() []string { return film.Kinds() }

// Empty draws a picture in colour without people, of a kind: see [EmptyKinds].
func Empty(kind string, seed uint64, width, height int) (*image.RGBA, error) {
	if err := checkSize("picture", width, height); err != nil {
		return nil, err
	}
	r := num.NewRandom(seed^sceneKind.stream, 2<<60)
	b := film.NewBackdrop(r)
	if !b.Only(kind, r) {
		return nil, fmt.Errorf("picture: found the kind %q, want one of %s", kind, strings.Join(film.Kinds(), ", "))
	}
	p := film.NewPicture(width, height, true)
	b.Paint(p, 0.5)
	b.Caption(p)
	cam := film.NewCamera(r)
	p.Photograph(&cam)
	return rgba(p), nil
}

// rgba is a photographed picture in colour.
func rgba(p *film.Picture) *image.RGBA {
	rgb := make([]uint8, 3*p.Width*p.Height)
	p.Develop(rgb)
	m := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i := range p.Width * p.Height {
		copy(m.Pix[4*i:4*i+3], rgb[3*i:])
		m.Pix[4*i+3] = 255
	}
	return m
}
