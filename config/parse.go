package config

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// ErrDone is returned when the command line asked for help or the version,
// which were printed.
var ErrDone = errors.New("nothing left to do")

// UsageError is a command line, an environment or a combination of settings
// that cannot be used: one line for each thing that is wrong.
type UsageError struct{ Err error }

// Error is what is wrong with the settings.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *UsageError) Unwrap() error { return e.Err }

// Parse fills cli, a pointer to kong's struct with a Config in it, from the
// arguments and the environment (os.Environ's form), checks it and completes
// it. A flag wins over a variable. Help and version go to stdout. It never
// ends the process, nor does it look at the process's own environment. The
// error is ErrDone or a *UsageError; any other is a fault of cli itself.
func Parse(cli any, args, environ []string, stdout io.Writer, options ...kong.Option) (*kong.Context, error) {
	env := newEnvironment(environ)
	parser, err := kong.New(cli, append(options, env.kongOptions(stdout)...)...)
	if err != nil {
		return nil, fmt.Errorf("building the command line: %w", err)
	}
	env.captureFlags(parser.Model.Node)
	ctx, err := parser.Parse(args)
	if errors.Is(err, ErrDone) {
		return nil, ErrDone
	}
	if err := errors.Join(errors.Join(env.problems...), env.problems.dropKnown(err)); err != nil {
		return nil, &UsageError{err}
	}
	return ctx, nil
}

func (e *environment) kongOptions(stdout io.Writer) []kong.Option {
	exited := false // by the flag for help or the version, where kong would end the process
	return []kong.Option{
		kong.Writers(stdout, io.Discard),
		kong.Exit(func(int) { exited = true }),
		kong.WithBeforeResolve(func(ctx *kong.Context) error {
			if exited {
				return ErrDone
			}
			if err := checkCommand(ctx); err != nil {
				return err
			}
			e.readUnflagged(ctx)
			return nil
		}),
		kong.Resolvers(e),
		kong.Bind(&Settings{e}),
		kong.NamedMapper("truth", pythonBool{}),
		kong.TypeMapper(reflect.TypeFor[time.Duration](), durationMapper{}),
		kong.ValueFormatter(describeFlag),
		kong.Help(e.printHelp),
		// Whoever is new asks for commands; the settings fill a screen and more.
		kong.ConfigureHelp(kong.HelpOptions{FlagsLast: true}),
	}
}

// checkCommand asks for a command before settings are asked for, which is what
// kong would do first.
func checkCommand(ctx *kong.Context) error {
	node := ctx.Selected()
	if node == nil {
		node = ctx.Model.Node
	}
	var names []string
	for _, child := range node.Children {
		if !child.Hidden {
			names = append(names, child.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("wanted a command after %q: one of %s", node.FullPath(), strings.Join(names, ", "))
}
