// Package verify has the command verify. It must not know how a file is checked, nor any other command.
package verify

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/damage"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/signature"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/sign"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command verify.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check every byte of model files, and their signatures", ArgsUsage: "FILE.fkz...",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "key", Usage: "`FILE` with a public key (PEM) that each file must be signed by; may be repeated"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON: a list, an object for each file"},
		},
		Action: p.Action(verifyAll),
	}
}

// verified is what «verify --json» prints of a file.
type verified struct {
	File       string                `json:"file"`
	Intact     bool                  `json:"intact"`
	Version    int                   `json:"version,omitempty"`
	Bytes      int64                 `json:"bytes"`
	Digest     string                `json:"digest,omitempty"` // of an intact file
	Tensors    int                   `json:"tensors"`          // of a damaged file those that are intact
	Header     bool                  `json:"header"`           // whether it has its checksum
	Damage     []damage.Damage       `json:"damage,omitempty"`
	Rest       []string              `json:"intact_tensors,omitempty"` // of a damaged file
	Signatures []signature.Signature `json:"signatures,omitempty"`
	Error      string                `json:"error,omitempty"` // why the file is refused
}

func verifyAll(p *command.Program, c *cli.Context) error {
	if c.NArg() == 0 {
		return command.Usagef("verify: found no file, want at least one .fkz")
	}
	var keys []ed25519.PublicKey
	for _, path := range c.StringSlice("key") {
		key, err := sign.ReadPublicKey(path)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	var errs []error
	all := []verified{}
	for _, path := range c.Args().Slice() {
		v, err := verifyFile(path, keys)
		if err != nil {
			errs = append(errs, err)
			v.Error = err.Error()
		}
		all = append(all, v)
		if !c.Bool("json") {
			printVerified(p, &v)
		}
	}
	if c.Bool("json") {
		if err := terminal.PrintJSON(p.Stdout, all); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// verifyFile checks all of a file. What it finds comes with an error too, where the file is refused for it.
func verifyFile(path string, keys []ed25519.PublicKey) (verified, error) {
	v := verified{File: path}
	f, err := model.Open(path)
	if err == nil {
		defer f.Close()
		err = f.Verify()
	}
	if err != nil {
		return located(v, err)
	}
	v.Intact, v.Header, v.Version, v.Bytes, v.Tensors = true, true, f.Version(), f.Size(), len(f.Infos())
	v.Digest = fmt.Sprintf("%x", f.Digest())
	if v.Signatures, err = signature.Of(f); err != nil {
		return v, err
	}
	for _, s := range v.Signatures {
		if !s.Good {
			return v, fmt.Errorf("%s: %w: that by the key %s is not of this file's digest and provenance", path, format.ErrSignature, s.Key)
		}
	}
	for _, key := range keys {
		if err := f.SignedBy(key); err != nil {
			return v, err
		}
	}
	return v, nil
}

// located says of a file that was refused with err what of it is damaged and what isn't.
func located(v verified, err error) (verified, error) {
	s, none := format.Salvage(v.File)
	if none != nil {
		var e *format.Error
		if errors.As(err, &e) {
			v.Damage = damage.Of([]*format.Error{e})
		}
		return v, err
	}
	defer s.Close()
	v.Bytes, v.Header, v.Tensors, v.Damage = s.Size, s.Checked, len(s.Intact), damage.Of(s.Damage)
	for _, t := range s.Intact {
		v.Rest = append(v.Rest, t.Name)
	}
	if n := len(s.Damage); n > 1 {
		return v, fmt.Errorf("%w; and %d more findings; %d tensors are intact", s.Damage[0], n-1, len(s.Intact))
	} else if n == 1 {
		return v, fmt.Errorf("%w; %d tensors are intact", s.Damage[0], len(s.Intact))
	}
	return v, err
}

func printVerified(p *command.Program, v *verified) {
	w := p.Stdout
	if v.Intact {
		fmt.Fprintf(w, "%s: intact: version %d, %d tensors, %s bytes, digest %s\n", v.File, v.Version, v.Tensors, terminal.Thousands(v.Bytes), v.Digest)
		signature.Print(w, v.File+": ", v.Signatures)
		return
	}
	for _, d := range v.Damage {
		fmt.Fprintf(w, "%s: %s\n", v.File, d)
	}
	if len(v.Rest) > 0 {
		fmt.Fprintf(w, "%s: %d tensors are intact: %s\n", v.File, len(v.Rest), strings.Join(v.Rest, ", "))
	}
	if v.Bytes > 0 && !v.Header {
		fmt.Fprintf(w, "%s: the header hasn't its checksum: names, shapes and metadata may have changed\n", v.File)
	}
}
