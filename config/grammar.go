package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"pruned/config/secret"
)

// captureFlags makes e the only environment that flags are read from, and takes
// those without a flag out of the grammar.
func (e *environment) captureFlags(root *kong.Node) {
	_ = kong.Visit(root, func(visited kong.Visitable, next kong.Next) error {
		if node, ok := visited.(*kong.Node); ok {
			var flags []*kong.Flag
			for _, flag := range node.Flags {
				flag.Tag.Envs = nil // what kong looks up in the process's own
				e.known = append(e.known, variableNames(flag)...)
				if len(flag.Envs) > 0 {
					e.settings = append(e.settings, flag)
				}
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

// readUnflagged reads the file that the command line names, and what only the
// environment sets. kong calls its hooks once for each thing on the command line.
func (e *environment) readUnflagged(ctx *kong.Context) {
	if e.finished {
		return
	}
	e.finished = true
	e.noteFlags(ctx)
	if isStandalone(ctx.Selected()) {
		e.values = map[string]string{"DATA_DIR": os.DevNull}
	} else {
		e.loadFile(ctx)
	}
	for _, flag := range e.flagless {
		name, text := e.lookupFlag(flag)
		flag.Target.SetString(text)
		if text != "" {
			e.noteVariable(name)
		}
	}
	e.checkUnknown()
}

// isStandalone says whether a command makes an installation of its own: the operator's
// is none of its business.
func isStandalone(node *kong.Node) bool {
	return node != nil && node.Tag != nil && node.Tag.Has("alone")
}

// variableNames are the names under which a flag can be set.
func variableNames(flag *kong.Flag) []string {
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

// pythonBool reads a boolean as Open WebUI reads its own: everything but true is
// false.
type pythonBool struct{}

func (pythonBool) IsBool() bool { return true }

func (pythonBool) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	value := true
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		value = strings.EqualFold(ctx.Scan.Pop().String(), "true")
	}
	target.SetBool(value)
	return nil
}

// describeFlag adds a flag's variables to its help.
func describeFlag(value *kong.Value) string {
	if value.Flag == nil || len(value.Flag.Envs) == 0 {
		return value.Help
	}
	return value.Help + " ($" + strings.Join(variableNames(value.Flag), ", $") + ")"
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
