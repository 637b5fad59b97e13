package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish: source <(pruned completion bash)."`
}

// Run prints what a shell completes by: all of it is in the script, so that completing
// reads no settings and opens nothing.
func (r *completionCmd) Run(ctx *runContext, parsed *kong.Context) error {
	root := parsed.Model.Node
	if r.Shell == "fish" {
		return writeFish(ctx.stdout, root)
	}
	before := ""
	if r.Shell == "zsh" {
		before = "autoload -U +X bashcompinit && bashcompinit\n"
	}
	return writeBash(ctx.stdout, before, root)
}

// eachCommand calls fn with every command that is shown, and the words that lead to it.
func eachCommand(node *kong.Node, path string, fn func(path string, node *kong.Node)) {
	for _, child := range node.Children {
		if !child.Hidden {
			words := strings.TrimSpace(path + " " + child.Name)
			fn(words, child)
			eachCommand(child, words, fn)
		}
	}
}

func commandNames(node *kong.Node) (names []string) {
	for _, child := range node.Children {
		if !child.Hidden {
			names = append(names, child.Name)
		}
	}
	return names
}

func flagNames(node *kong.Node) (names []string) {
	for _, flag := range node.Flags {
		if !flag.Hidden {
			names = append(names, "--"+flag.Name)
		}
	}
	return names
}

// writeBash writes a function that follows the commands on the line, and then offers what
// the last one takes.
func writeBash(out io.Writer, before string, root *kong.Node) error {
	var paths, takes, values strings.Builder
	addFlags := func(node *kong.Node) {
		for _, flag := range node.Flags {
			if flag.Enum != "" && !flag.Hidden {
				fmt.Fprintf(&values, "    --%s) words=%q ;;\n", flag.Name, strings.ReplaceAll(flag.Enum, ",", " "))
			}
		}
	}
	addFlags(root)
	eachCommand(root, "", func(path string, node *kong.Node) {
		fmt.Fprintf(&paths, "      %q) path=%q ;;\n", path, path)
		fmt.Fprintf(&takes, "    %q) commands=%q flags=\"%s $flags\" ;;\n", path, strings.Join(commandNames(node), " "), strings.Join(flagNames(node), " "))
		addFlags(node)
	})
	_, err := fmt.Fprintf(out, `%s_pruned() {
  local cur="${COMP_WORDS[COMP_CWORD]}" path="" word words="" commands=%q
  local flags=%q
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "${path:+$path }$word" in
%s    esac
  done
  case "$path" in
%s  esac
  words="$commands"
  [[ "$cur" == -* ]] && words="$flags"
  case "${COMP_WORDS[COMP_CWORD-1]}" in
%s  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _pruned pruned
`, before, strings.Join(commandNames(root), " "), strings.Join(flagNames(root), " "), paths.String(), takes.String(), values.String())
	return err
}

// writeFish writes a line for each command and flag.
func writeFish(out io.Writer, root *kong.Node) error {
	_, err := fmt.Fprintf(out, "complete -c pruned -n __fish_use_subcommand -f -a %s\n", quoteFish(strings.Join(commandNames(root), " ")))
	writeFlags := func(node *kong.Node, condition string) {
		for _, flag := range node.Flags {
			if err == nil && !flag.Hidden {
				_, err = fmt.Fprintf(out, "complete -c pruned%s -l %s -d %s\n", condition, flag.Name, quoteFish(flag.Help))
			}
		}
	}
	writeFlags(root, "")
	eachCommand(root, "", func(path string, node *kong.Node) {
		seen := "__fish_seen_subcommand_from " + strings.ReplaceAll(path, " ", "; and __fish_seen_subcommand_from ")
		if children := strings.Join(commandNames(node), " "); children != "" && err == nil {
			_, err = fmt.Fprintf(out, "complete -c pruned -n %s -f -a %s\n", quoteFish(seen+"; and not __fish_seen_subcommand_from "+children), quoteFish(children))
		}
		writeFlags(node, " -n "+quoteFish(seen))
	})
	return err
}

func quoteFish(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", " ").Replace(text) + "'"
}
