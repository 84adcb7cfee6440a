// Package sign has the command sign. It must not know what a signature is of, nor any other command.
package sign

import (
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/signature"
	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/sign"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command sign.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "sign", Usage: "sign a model file, or make a key for that", ArgsUsage: "FILE.fkz",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "key", Usage: "`FILE` with the private key: Ed25519, PKCS#8 in PEM"},
			&cli.StringFlag{Name: "new-key", Usage: "make a key: the private one in `FILE`, the public one in FILE.pub"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the signed model to `FILE` and leave the other as it is"},
			&cli.BoolFlag{Name: "force", Usage: "replace an existing file at -o"},
		},
		Action: p.Action(signFile),
	}
}

func signFile(p *command.Program, c *cli.Context) error {
	if path := c.String("new-key"); path != "" {
		if c.NArg() > 0 || c.IsSet("key") || c.IsSet("output") {
			return command.Usagef("sign --new-key: found more, want it alone: it makes a key and signs nothing")
		}
		key, err := sign.NewKey(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "%s: the private key: who has it can sign as you\n%s.pub: the public key, %x\n", path, path, []byte(key))
		return nil
	}
	if c.NArg() != 1 || c.String("key") == "" {
		return command.Usagef("sign: found %d arguments and --key %q, want a file and a private key", c.NArg(), c.String("key"))
	}
	path := c.Args().First()
	key, err := sign.ReadPrivateKey(c.String("key"))
	if err != nil {
		return err
	}
	f, err := model.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out, force := c.String("output"), c.Bool("force")
	if out == "" {
		// The same model with a signature more; of a link the file that it names, not the link.
		if out, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
		force = true
	}
	if err := f.Sign(out, key, format.Options{Force: force}); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "%s: digest %x\n", out, f.Digest())
	signed, err := model.Open(out)
	if err != nil {
		return err
	}
	defer signed.Close()
	list, err := signature.Of(signed)
	signature.Print(p.Stdout, out+": ", list)
	return err
}
