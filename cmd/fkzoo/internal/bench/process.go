package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/bench"
)

// each measures the cases one after the other, in a process for each: its memory is the case's own, and one that fails leaves
// the others alone. When the context ends, so does the process under way, and the rows are those of before.
func each(p *command.Program, c *cli.Context, cases []one) (rows []row, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	tick, end := terminal.Tick(p.Stderr, "cases")
	defer end()
	failed := 0
	for i, o := range cases {
		if tick != nil {
			tick(i, len(cases))
		}
		r, said, err := o.run(c.Context, program, c.StringSlice("set"))
		if c.Context.Err() != nil {
			return rows, c.Context.Err()
		}
		if err != nil {
			failed++
			end()
			p.Warn(fmt.Sprintf("%s failed: %v", o, err))
			fmt.Fprint(p.Stderr, terminal.Printable(said))
			rows = append(rows, row{failed: &failure{o.architecture, o.backend, o.Task, o.Batch, reason(said, err)}})
			continue
		}
		rows = append(rows, row{Result: r})
	}
	if failed > 0 {
		return rows, fmt.Errorf("%d of %s failed", failed, terminal.Count(len(cases), "case"))
	}
	return rows, nil
}

// String names a case as the table does.
func (o one) String() string {
	text := o.architecture + ", " + o.backend + ", " + string(o.Task)
	if o.Batch > 0 {
		text += fmt.Sprintf(", batch %d", o.Batch)
	}
	return text
}

// arguments are those by which this program measures this case alone.
func (o one) arguments(settings []string) []string {
	args := []string{"bench", "--json", "--backend", o.backend, "--task", string(o.Task),
		"--seconds", strconv.FormatFloat(o.Duration.Seconds(), 'g', -1, 64)}
	if o.Batch > 0 {
		args = append(args, "--batch", strconv.Itoa(o.Batch))
	}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	return append(args, "--", o.architecture)
}

// run measures a case in a process of its own. said is what that wrote for people.
func (o one) run(ctx context.Context, program string, settings []string) (r *bench.Result, said string, err error) {
	var out, text bytes.Buffer
	cmd := exec.CommandContext(ctx, program, o.arguments(settings)...)
	cmd.Stdout, cmd.Stderr = &out, &text
	cmd.WaitDelay = 5 * time.Second // for what it has started itself
	if err := cmd.Run(); err != nil {
		return nil, text.String(), err
	}
	var all []*bench.Result
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		return nil, text.String(), fmt.Errorf("its output: %w", err)
	}
	if len(all) != 1 {
		return nil, text.String(), fmt.Errorf("its output: found %d results, want 1", len(all))
	}
	return all[0], text.String(), nil
}

// reason is the error that the process told, behind its warnings, or else how it ended.
func reason(said string, err error) string {
	text := err.Error()
	for line := range strings.Lines(said) {
		if told, ok := strings.CutPrefix(line, "fkzoo: "); ok {
			text = strings.TrimSpace(told)
		}
	}
	return text
}
