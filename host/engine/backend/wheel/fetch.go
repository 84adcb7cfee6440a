package wheel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/go-xla/installer"
)

var (
	// ErrGone: the index doesn't have the file.
	ErrGone = errors.New("not in the package index")
	// ErrChecksum: a file is not the one whose SHA-256 was wanted.
	ErrChecksum = errors.New("wrong checksum")
)

// Attempts are made to download a wheel, each where the one before broke off.
const Attempts = 5

// stall is how long a connection may give nothing before it counts as broken.
const stall = time.Minute

// Fetcher downloads wheels.
type Fetcher struct {
	Folder   string                                               // for the wheels; made when needed
	Index    func(name string) (*installer.PipPackageInfo, error) // what the index has of a package
	Pause    time.Duration                                        // before a broken-off download goes on, doubled each time
	Progress func(done int64)                                     // is told the bytes that are there
}

// Fetch brings a wheel into the folder, where no other may be at work, and returns its path. One that is there already is
// taken, if its checksum is right.
func (f *Fetcher) Fetch(ctx context.Context, p Package) (string, error) {
	dir := f.Folder
	path := filepath.Join(dir, p.SHA256+".whl")
	if sum, err := SHA256(ctx, path); err == nil && sum == p.SHA256 {
		return path, nil
	}
	address, err := f.find(ctx, p)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	part := filepath.Join(dir, p.SHA256+".part")
	out, err := os.Create(part)
	if err != nil {
		return "", err
	}
	defer os.Remove(part)
	defer out.Close()
	h := sha256.New()
	var done int64
	for attempt := 1; ; attempt++ {
		err := f.fetch(ctx, address, p, out, h, &done)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("download %s: %w", p.File, context.Cause(ctx))
		}
		var final *finalError
		if errors.As(err, &final) || attempt == Attempts {
			return "", fmt.Errorf("download %s: %w", p.File, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(f.Pause << (attempt - 1)):
		}
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != p.SHA256 {
		return "", fmt.Errorf("download %s: %w: found SHA-256 %s, want %s", p.File, ErrChecksum, sum, p.SHA256)
	}
	if err := out.Close(); err != nil {
		return "", err
	}
	return path, os.Rename(part, path)
}

// find asks the index for the address of a wheel, by go-xla's client.
func (f *Fetcher) find(ctx context.Context, p Package) (string, error) {
	type result struct {
		info *installer.PipPackageInfo
		err  error
	}
	// That client can't be interrupted; it is left behind when the context ends.
	answered := make(chan result, 1)
	go func() {
		info, err := f.Index(p.Name)
		answered <- result{info, err}
	}()
	var r result
	select {
	case <-ctx.Done():
		return "", fmt.Errorf("look up %s: %w", p.Name, context.Cause(ctx))
	case <-time.After(stall):
		return "", fmt.Errorf("look up %s: no answer after %v", p.Name, stall)
	case r = <-answered:
	}
	if r.err != nil {
		return "", fmt.Errorf("look up %s: %w", p.Name, r.err)
	}
	for _, x := range r.info.Releases[p.Version] {
		if x.Filename != p.File {
			continue
		}
		if sum := x.Digests["sha256"]; sum != p.SHA256 {
			return "", fmt.Errorf("%s: %w: the index gives SHA-256 %s, want %s", p.File, ErrChecksum, sum, p.SHA256)
		}
		// Mirrors of the index give addresses relative to the package's page there.
		page, err := url.Parse(r.info.Info.ProjectURL)
		if err != nil {
			page = &url.URL{}
		}
		address, err := page.Parse(x.URL)
		if err != nil || address.Host == "" {
			return "", fmt.Errorf("%s: the index gives the address %q, want a whole one", p.File, x.URL)
		}
		return address.String(), nil
	}
	return "", fmt.Errorf("%s: %w", p.File, ErrGone)
}

// finalError is one that another attempt would not change.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// fetch appends to out what is missing, from byte *done on, and keeps h and *done in step with it.
func (f *Fetcher) fetch(ctx context.Context, address string, p Package, out *os.File, h hash.Hash, done *int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return &finalError{err}
	}
	if *done > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", *done))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return causeOr(ctx, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusPartialContent && *done > 0:
	case resp.StatusCode == http.StatusOK:
		if err := out.Truncate(0); err != nil {
			return &finalError{err}
		}
		*done = 0
		h.Reset()
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return &finalError{fmt.Errorf("%w: %s", ErrGone, resp.Status)}
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout:
		return fmt.Errorf("the server answered %s", resp.Status)
	default:
		return &finalError{fmt.Errorf("the server answered %s", resp.Status)}
	}
	buf := make([]byte, 256<<10)
	for {
		f.Progress(*done)
		n, err := resp.Body.Read(buf)
		watch.Reset(stall)
		if *done+int64(n) > p.Size {
			return &finalError{fmt.Errorf("%w: found more than the %d bytes it should have", ErrChecksum, p.Size)}
		}
		if _, err := out.WriteAt(buf[:n], *done); err != nil {
			return &finalError{err}
		}
		h.Write(buf[:n])
		*done += int64(n)
		if errors.Is(err, io.EOF) {
			if *done < p.Size {
				return fmt.Errorf("broke off after %d of %d bytes", *done, p.Size)
			}
			f.Progress(*done)
			return nil
		}
		if err != nil {
			return causeOr(ctx, err)
		}
	}
}

// causeOr prefers the reason for which the context was ended to the error that ending it made.
func causeOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
