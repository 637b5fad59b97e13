package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"pruned/secret"
)

// takeOver makes e the only environment that flags are read from, and takes
// those without a flag out of the grammar.
func (e *environment) takeOver(root *kong.Node) {
	_ = kong.Visit(root, func(visited kong.Visitable, next kong.Next) error {
		if node, ok := visited.(*kong.Node); ok {
			var flags []*kong.Flag
			for _, flag := range node.Flags {
				flag.Tag.Envs = nil // what kong looks up in the process's own
				e.known = append(e.known, variables(flag)...)
				if flag.Tag.Has("flagless") {
					e.flagless = append(e.flagless, flag)
				} else {
					flags = append(flags, flag)
				}
			}
			node.Flags = flags
		}
		return next(nil)
	})
}

// finish reads the file that the command line names, and what only the
// environment sets. kong calls its hooks once for each thing on the command line.
func (e *environment) finish(ctx *kong.Context) {
	if e.complete {
		return
	}
	e.complete = true
	if isAlone(ctx.Selected()) {
		e.values = map[string]string{"DATA_DIR": os.DevNull}
	} else {
		e.loadFile(ctx)
	}
	for _, flag := range e.flagless {
		_, text := e.lookup(flag)
		flag.Target.SetString(text)
	}
	e.checkUnknown()
}

// isAlone says whether a command makes an installation of its own: the operator's
// is none of its business.
func isAlone(node *kong.Node) bool { return node != nil && node.Tag != nil && node.Tag.Has("alone") }

// variables are the names under which a flag can be set.
func variables(flag *kong.Flag) []string {
	var names []string
	for _, name := range flag.Envs {
		names = append(names, name)
		if isSecret(flag) {
			names = append(names, name+"_FILE")
		}
	}
	return names
}

func isSecret(flag *kong.Flag) bool { return flag.Target.Type() == reflect.TypeFor[secret.Text]() }

// truth reads a boolean as Open WebUI reads its own: whatever is not true is
// false.
type truth struct{}

func (truth) IsBool() bool { return true }

func (truth) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	value := true
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		value = strings.EqualFold(ctx.Scan.Pop().String(), "true")
	}
	target.SetBool(value)
	return nil
}

// describe adds a flag's variables to its help.
func describe(value *kong.Value) string {
	if value.Flag == nil || len(value.Flag.Envs) == 0 {
		return value.Help
	}
	return value.Help + " ($" + strings.Join(variables(value.Flag), ", $") + ")"
}

// printHelp is kong's help, followed by what has no flag.
func (e *environment) printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return fmt.Errorf("printing the help: %w", err)
	}
	table := tabwriter.NewWriter(ctx.Stdout, 0, 0, 4, ' ', 0)
	fmt.Fprintln(table, "\nSecrets, which have no flag (NAME_FILE names a file that holds one):")
	for _, flag := range e.flagless {
		fmt.Fprintf(table, "  $%s\t%s\n", flag.Envs[0], flag.Help)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the help: %w", err)
	}
	return nil
}
