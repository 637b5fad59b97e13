package config

import (
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
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

func isSecret(flag *kong.Flag) bool { return flag.Target.Type() == reflect.TypeFor[Secret]() }

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
