// Package info has the command info, which shows an architecture or a model. It must not know how these are stored or found,
// nor any other command.
package info

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/receipt"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/signature"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command info.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "info", Usage: "show an architecture or a model", ArgsUsage: "ARCH|FILE.fkz",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
			&cli.StringSliceFlag{Name: "set", Usage: "`KEY=VALUE`: a setting of the architecture or its recipe; may be repeated"},
		},
		Action: p.Action(info),
	}
}

// described is an architecture or a model as «info --json» prints it.
type described struct {
	Name         string                `json:"name"`
	Architecture string                `json:"architecture"`
	Plugin       string                `json:"plugin,omitempty"`
	Summary      string                `json:"summary"`
	Source       string                `json:"source,omitempty"`
	Parameters   int64                 `json:"parameters"`
	FLOPs        int64                 `json:"flops"`
	Settings     []host.Setting        `json:"settings,omitempty"`
	Members      []describedMember     `json:"members"`
	Blueprint    json.RawMessage       `json:"blueprint"`
	Digest       string                `json:"digest,omitempty"`
	Finished     *bool                 `json:"finished,omitempty"`
	History      []model.MemberHistory `json:"history,omitempty"`
	OutOfFold    *model.HeldOut        `json:"out_of_fold,omitempty"`
	Provenance   *model.Provenance     `json:"provenance,omitempty"`
	Run          *model.Run            `json:"run,omitempty"`
	Signatures   []signature.Signature `json:"signatures,omitempty"`
}

type describedMember struct {
	Name       string           `json:"name"`
	Columns    []string         `json:"columns"`
	Parameters int64            `json:"parameters"`
	FLOPs      int64            `json:"flops"`
	Layers     []describedLayer `json:"layers"`
	plan       *blueprint.Plan
}

type describedLayer struct {
	Name       string          `json:"name"`
	Kind       string          `json:"kind"`
	Shape      blueprint.Shape `json:"shape"`
	Parameters int64           `json:"parameters"`
	FLOPs      int64           `json:"flops"`
}

func describe(d *model.Description) (*described, error) {
	text, err := d.Document.JSON()
	if err != nil {
		return nil, err
	}
	out := &described{Name: d.Document.Name, Architecture: d.Document.Name, Summary: d.Document.Summary, Source: d.Document.Source,
		Parameters: d.Parameters, FLOPs: d.FLOPs, Blueprint: text}
	for _, plan := range d.Plans {
		m := describedMember{Name: plan.Member.Name, Columns: plan.Columns, Parameters: plan.Parameters(), FLOPs: plan.FLOPs(), plan: plan}
		for k := range plan.Nodes {
			n := &plan.Nodes[k]
			m.Layers = append(m.Layers, describedLayer{n.Layer.Name, n.Kind.Name, n.Out, n.Parameters(), n.FLOPs})
		}
		out.Members = append(out.Members, m)
	}
	return out, nil
}

func info(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("info: found %d arguments, want an architecture or a .fkz file", c.NArg())
	}
	name := c.Args().First()
	var out *described
	var err error
	if command.IsModel(name) {
		out, err = infoModel(p, c, name)
	} else {
		out, err = infoArchitecture(p, c, name)
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, out)
	}
	return printInfo(p, out)
}

func infoModel(p *command.Program, c *cli.Context, path string) (*described, error) {
	if c.IsSet("set") {
		return nil, command.Usagef("info %s: found --set, which is for architectures: a model is as it was trained", path)
	}
	m, err := model.Describe(path)
	if err != nil {
		return nil, err
	}
	d, err := model.DescriptionOf(m.Document, nil)
	if err != nil {
		return nil, err
	}
	out, err := describe(d)
	if err != nil {
		return nil, err
	}
	finished := m.State == nil
	out.Digest, out.Finished, out.History, out.Provenance, out.Run = m.Digest, &finished, m.History, &m.Provenance, &m.Run
	out.Plugin = m.Provenance.Plugin.Name
	if pooled, ok := m.OutOfFold(); ok {
		out.OutOfFold = &pooled
	}
	f, err := model.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out.Signatures, err = signature.Of(f)
	return out, err
}

func infoArchitecture(p *command.Program, c *cli.Context, name string) (*described, error) {
	z := p.Zoo(c)
	defer z.Close()
	a, err := z.Describe(c.Context, zoo.DescribeRequest{Architecture: name, Settings: c.StringSlice("set")})
	if err != nil {
		return nil, err
	}
	out, err := describe(a.Description)
	if err != nil {
		return nil, err
	}
	out.Plugin, out.Settings = a.Plugin, a.Settings
	return out, nil
}

func printInfo(p *command.Program, d *described) error {
	w := p.Stdout
	fmt.Fprintf(w, "%s: %s\n", d.Name, d.Summary)
	if d.Source != "" {
		fmt.Fprintf(w, "source: %s\n", d.Source)
	}
	fmt.Fprintf(w, "%s parameters, %sFLOP an image\n", terminal.Thousands(d.Parameters), terminal.FLOPs(d.FLOPs))
	for _, s := range d.Settings {
		fmt.Fprintf(w, "--set %s=%s  %s\n", s.Name, s.Default, s.Help)
	}
	for _, m := range d.Members {
		fmt.Fprintf(w, "\nmember %s: %d columns, %s parameters, %sFLOP an image\n", m.Name, len(m.Columns), terminal.Thousands(m.Parameters), terminal.FLOPs(m.FLOPs))
		rows := [][]string{{"LAYER", "KIND", "SETTINGS", "INPUTS", "SHAPE", "PARAMETERS", "FLOP"}}
		for i, l := range m.Layers {
			node := &m.plan.Nodes[i]
			rows = append(rows, []string{l.Name, l.Kind, settingsText(node), strings.Join(node.Layer.Inputs, " "), terminal.Shape(l.Shape), terminal.Thousands(l.Parameters), terminal.FLOPs(l.FLOPs)})
		}
		if err := terminal.Table(w, rows); err != nil {
			return err
		}
		recipe, err := json.Marshal(m.plan.Member.Recipe)
		if err != nil {
			return err
		}
		output, err := json.Marshal(m.plan.Member.Output)
		if err != nil {
			return err
		}
		if string(output) != "{}" {
			fmt.Fprintf(w, "output: %s\n", output)
		}
		fmt.Fprintf(w, "recipe: %s\n", recipe)
	}
	return printMade(p, d)
}

// printMade prints what made a model.
func printMade(p *command.Program, d *described) error {
	if d.Provenance == nil {
		return nil
	}
	w, from := p.Stdout, d.Provenance
	fmt.Fprintf(w, "\ndigest: %s\n", d.Digest)
	if !*d.Finished {
		fmt.Fprintln(w, "a checkpoint: the training is not finished")
	}
	signature.Print(w, "", d.Signatures)
	made := "made by fkzoo " + from.Fkzoo
	if from.Plugin.Name != "" {
		made += fmt.Sprintf(", plugin %s (SHA-256 %s)", from.Plugin.Name, from.Plugin.SHA256)
	}
	if from.Backend != "" {
		made += ", backend " + from.Backend
	}
	if from.Kernels != "" {
		made += " (kernels: " + from.Kernels + ")"
	}
	fmt.Fprintf(w, "%s, seed %d\n", made, from.Seed)
	if err := receipt.PrintSource(w, &from.Receipt); err != nil {
		return err
	}
	for _, m := range from.Merged {
		fmt.Fprintf(w, "merged of %s, seed %d, digest %s\n", m.Architecture, m.Seed, m.Digest)
	}
	if len(from.Options) > 0 {
		fmt.Fprintf(w, "options: %s\n", strings.Join(from.Options, " "))
	}
	if from.Start != "" {
		fmt.Fprintf(w, "started from the model with digest %s\n", from.Start)
	}
	if from.Data.Checksum != "" {
		fmt.Fprintf(w, "data: %s, %s, checksum %s\n", from.Data.Source, terminal.Count(from.Data.Rows, "row"), from.Data.Checksum)
	}
	var seconds float64
	for _, s := range d.Run.Seconds {
		seconds += s
	}
	for _, h := range d.History {
		n := len(h.TrainLoss)
		if n == 0 {
			continue
		}
		line := fmt.Sprintf("history of %s: %s, train loss %.6f", h.Member, terminal.Count(n, "epoch"), h.TrainLoss[n-1])
		if v := len(h.ValidationLoss); v > 0 {
			line += fmt.Sprintf(", validation loss %.6f (%.3f pixels), best in epoch %d", h.ValidationLoss[v-1], h.RMSEPixels[v-1], h.BestEpoch)
		}
		if h.Stopped {
			line += ", stopped early"
		}
		fmt.Fprintln(w, line)
	}
	if o := d.OutOfFold; o != nil {
		fmt.Fprintf(w, "out of fold: loss %.6f (%.3f pixels) on %s\n", o.Loss, o.RMSEPixels, terminal.Count(o.Rows, "row"))
	}
	if len(d.Run.Seconds) > 0 {
		fmt.Fprintf(w, "time: %s in %s\n", terminal.Short(time.Duration(seconds*float64(time.Second))), terminal.Count(len(d.Run.Seconds), "epoch"))
	}
	return nil
}

func settingsText(n *blueprint.Node) string {
	var out []string
	for _, s := range n.Kind.Settings {
		v, ok := n.Layer.Settings[s.Name]
		if !ok {
			continue
		}
		if pair, ok := v.([2]int); ok {
			v = fmt.Sprintf("%dx%d", pair[0], pair[1])
		} else if text, err := json.Marshal(v); err == nil {
			v = strings.Trim(string(text), `"`)
		}
		out = append(out, fmt.Sprintf("%s=%v", s.Name, v))
	}
	return strings.Join(out, " ")
}
