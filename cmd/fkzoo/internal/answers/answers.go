// Package answers has the commands that ask models about images: evaluate and predict. It must not know how an answer is
// computed, nor any other command.
package answers

import (
	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
)

// Commands are the commands in the order of the help.
func Commands(p *command.Program) []*cli.Command {
	return []*cli.Command{evaluateCommand(p), predictCommand(p)}
}
