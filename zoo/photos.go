package zoo

import (
	"context"
	"io"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset/picture"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/model/ready"
	"github.com/fkzoo/fkzoo/zoo/photo"
	"github.com/fkzoo/fkzoo/zoo/photo/files"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// PhotosRequest asks for the faces in photographs, and their points.
type PhotosRequest struct {
	ModelsRequest // without any: the model in the program, [ready.Points]

	// Photos are files, PNG or JPEG; folders of such; and patterns as [files.Names] has them.
	Photos  []string
	Readers map[string]io.Reader // what some of these stand for, in place of files
	// Watch goes on with what appears in the folders, until the context ends.
	Watch bool
	// Least is the score below which a face isn't told, 0 to 1; nil: [photo.Least].
	Least *float64
}

// Photo is a photograph and what was found in it.
type Photo struct {
	Name    string
	Picture *picture.Photo // nil where it couldn't be read
	Points  []string       // the names of the points that each face has
	Faces   []photo.Face
	Err     error // why it couldn't be read; the others are, all the same
	Of      int   // how many photographs there are; 0: more may come
}

// Photos finds faces in photographs, and gives them to a function one after the other, in the order of their names, until it
// returns an error.
func (z *Zoo) Photos(ctx context.Context, r PhotosRequest, to func(*Photo) error) error {
	if len(r.Photos) == 0 {
		return request.Errorf("photos", "found none, want at least one")
	}
	least, err := leastOf(r.Least)
	if err != nil {
		return err
	}
	var names, notes []string
	if !r.Watch {
		names, notes, err = files.Names(ctx, r.Photos, r.Readers)
	}
	if err != nil {
		return err
	}
	for _, note := range notes {
		z.watch.Warn(Warning{Text: note})
	}
	return z.reading(ctx, r.ModelsRequest, func(ctx context.Context, reader *photo.Reader) error {
		tick, end := z.Progress("finding faces")
		defer end()
		one := func(name string, of int) error {
			p := &Photo{Name: name, Points: reader.Names(), Of: of}
			if p.Picture, p.Err = files.Read(ctx, name, r.Readers); p.Err == nil {
				var err error
				if p.Faces, err = reader.Read(ctx, p.Picture.Grey, least); err != nil {
					return err
				}
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			return to(p)
		}
		if r.Watch {
			return files.Watch(ctx, r.Photos, func(name string) error { return one(name, 0) })
		}
		for i, name := range names {
			if err := one(name, len(names)); err != nil {
				return err
			}
			tick(i+1, len(names))
		}
		return nil
	})
}

// leastOf is the score from which faces are told.
func leastOf(asked *float64) (float64, error) {
	switch {
	case asked == nil:
		return photo.Least, nil
	case !(*asked >= 0 && *asked <= 1):
		return 0, request.Errorf("least", "found %g, want a score from 0 to 1", *asked)
	}
	return *asked, nil
}

// PhotoReader puts the finder that is in the program before models, to be asked by as many goroutines as one likes. Close it; the Zoo's
// Close does, too.
func (z *Zoo) PhotoReader(ctx context.Context, r ModelsRequest) (*photo.Reader, error) {
	r = orReady(r)
	all, ctx, leave, err := z.open.EnterWith(ctx, r)
	if err != nil {
		return nil, err
	}
	defer leave()
	return z.reader(ctx, all, r)
}

// reading has a reader for as long as a function runs, in a context that asks all of it to the end.
func (z *Zoo) reading(ctx context.Context, r ModelsRequest, with func(ctx context.Context, reader *photo.Reader) error) error {
	r = orReady(r)
	all, ctx, leave, err := z.open.EnterWith(ctx, r)
	if err != nil {
		return err
	}
	defer leave()
	reader, err := z.reader(ctx, all, r)
	if err != nil {
		return err
	}
	defer reader.Close()
	if left := reader.Left(); len(left) > 0 {
		z.watch.Warn(Warning{Text: "not told of faces, since it isn't known where these typically lie: " + strings.Join(left, ", ")})
	}
	return with(ctx, reader)
}

// reader is [Zoo.PhotoReader] within a request.
func (z *Zoo) reader(ctx context.Context, all []*model.Model, r ModelsRequest) (*photo.Reader, error) {
	finder, err := model.Load(ready.Finder)
	if err != nil {
		return nil, err
	}
	e := r.Open
	if e == nil {
		if e, err = z.open.Ensemble(ctx, all, r, z.told()); err != nil {
			return nil, err
		}
	}
	b, err := z.open.Backend(ctx, z.watch.Backend)
	if err != nil {
		return nil, err
	}
	f, err := photo.NewFinder(b, finder)
	if err != nil {
		return nil, err
	}
	return photo.NewReader(f, e, r.Open == nil, model.Typical(r.Answering(all)))
}
