// Package sets has the command about data sets: data summary, check, export and demo. It must not know how data is stored
// or what a fault is, nor any other command.
package sets

import (
	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
)

// Commands are the commands in the order of the help.
func Commands(p *command.Program) []*cli.Command {
	return []*cli.Command{dataCommand(p)}
}
