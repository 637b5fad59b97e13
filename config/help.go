package config

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

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
