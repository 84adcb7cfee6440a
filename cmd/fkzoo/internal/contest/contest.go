// Package contest has the commands about Kaggle's competition: estimate, submit, average, score and submission. It must not
// know how a submission is made or scored, nor any other command.
package contest

import (
	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
)

// Commands are the commands in the order of the help.
func Commands(p *command.Program) []*cli.Command {
	return []*cli.Command{estimateCommand(p), submitCommand(p), averageCommand(p), scoreCommand(p), submissionCommand(p)}
}
