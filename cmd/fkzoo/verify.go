package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/format"
)

func (p *program) verifyCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check every byte of model files", ArgsUsage: "FILE.fkz...",
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("verify: found no file, want at least one .fkz")
			}
			var errs []error
			for _, path := range c.Args().Slice() {
				if err := p.verify(path); err != nil {
					errs = append(errs, err)
				}
			}
			return errors.Join(errs...)
		},
	}
}

func (p *program) verify(path string) error {
	f, err := format.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Verify(); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s: intact: version %d, %d tensors, %s bytes, digest %x\n", path, f.Version(), len(f.Infos()), thousands(f.Size()), f.Digest())
	return nil
}
