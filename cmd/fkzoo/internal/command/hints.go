package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/zoo/convert"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/request"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// advice is what to do about each kind of error, whose own text is a library's and knows no flags and no commands. The first
// that fits stands.
var advice = []struct {
	fits func(error) bool
	say  func(error) string
}{
	{is[*train.ElsewhereError], always("")}, // it says all
	{is[*host.UnknownError], always("«fkzoo list» shows what there is")},
	{wraps(ErrNoPlugins), always("plugins are executables fkzoo-plugin-NAME beside fkzoo, in a folder of $FKZOO_PLUGIN_PATH, or installed by «fkzoo plugin install FILE»")},
	{asks("set recipe.seed"), always("--seed gives it")},
	{asks("allow changes"), always("--resume names the training that --allow-changes is for")},
	{asks("resume"), always("either --resume or --start-from")},
	{IsUsage, always("«fkzoo help COMMAND» shows how a command is used")},
	{is[*train.ChangedError], always("--allow-changes goes on all the same")},
	{is[*train.DataGoneError], dataAgain},
	{is[*train.FixedError], always(startAnew)},
	{is[*train.FinishedError], goOn},
	{wraps(train.ErrFinished), always(startAnew)},
	{is[*train.CheckpointError], always("--resume goes on from it, --force replaces it")},
	{wraps(format.ErrExists), always("--force replaces it")},
	{wraps(dataset.ErrShape), always("--size N makes the images square")},
	{is[*engine.MemoryError], always("--batch N, where the command has it, takes fewer images at once")},
	{is[*backend.InstallError], func(err error) string {
		e, _ := errors.AsType[*backend.InstallError](err)
		return "«fkzoo backend install " + e.Backend + "» installs it"
	}},
	{is[*backend.NoPackageError], always("--from takes a PJRT library of your own")},
	{is[*convert.NoLayersError], readAs},
	{wraps(convert.ErrOwnLayers), always("without --as it is read as its own")},
	{is[*convert.NoColumnsError], always("--columns NAME,NAME,... names them")},
	{is[*convert.ColumnsError], always("without --columns those of the file are taken")},
}

// ErrNoPlugins is returned where plugins are listed and there are none.
var ErrNoPlugins = errors.New("found no plugin, want at least one")

const startAnew = "--start-from begins a new training with its weights, where shapes agree"

// goOn says what can be done with a training that is finished.
func goOn(err error) string {
	if e, _ := errors.AsType[*train.FinishedError](err); e.Best != "" {
		return fmt.Sprintf("%s goes on from epoch %d, with --epochs to more of them; %s", e.Best, e.Next, startAnew)
	}
	return startAnew
}

// dataAgain says how a training that goes on is told of its data.
func dataAgain(err error) string {
	if e, _ := errors.AsType[*train.DataGoneError](err); e.Source == stdin {
		return "--data - reads it from the standard input once more"
	}
	return "--data says where it is now"
}

// asks tells of an error whether it is that of a request's field.
func asks(field string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*request.Error](err)
		return ok && e.Field == field
	}
}

// readAs names the flag that says whose parameters a file without layers holds.
func readAs(err error) string {
	if e, _ := errors.AsType[*convert.NoLayersError](err); len(e.Fits) > 0 {
		return "--as " + e.Fits[0] + " reads it as that"
	}
	return "--as ARCH reads it as that architecture: «fkzoo list» shows what there is"
}

// always is advice that doesn't depend on the error.
func always(text string) func(error) string { return func(error) string { return text } }

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

func wraps(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// Hints says what to do about an error, a line each.
func Hints(err error) []string {
	var lines []string
	for _, a := range advice {
		if a.fits(err) {
			if text := a.say(err); text != "" {
				lines = append(lines, text)
			}
			break
		}
	}
	return append(lines, installHints(err)...)
}

// installHints gives the command that accepts each plugin that was refused for want of trust alone.
func installHints(err error) []string {
	var lines []string
	eachError(err, func(err error) {
		e, ok := err.(*host.Error)
		if !ok || e.Kind != host.ErrUntrusted || e.Cause != nil { // a cause is what must be mended first
			return
		}
		if line := "to accept plugin " + e.Plugin + ": fkzoo plugin install " + quoteForShell(e.Path); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	})
	return lines
}

// eachError calls f with an error and all that it wraps.
func eachError(err error, f func(error)) {
	if err == nil {
		return
	}
	f(err)
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		eachError(err.Unwrap(), f)
	case interface{ Unwrap() []error }:
		for _, below := range err.Unwrap() {
			eachError(below, f)
		}
	}
}

// quoteForShell writes a path so that it can be pasted into a shell.
func quoteForShell(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./\\:") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
