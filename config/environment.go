package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/alecthomas/kong"

	"pruned/config/dotenv"
)

// environment is what settings are read from, instead of the process's own,
// and what was found wrong while reading.
type environment struct {
	values   map[string]string
	problems problems
	flagless []*kong.Flag // set here alone
	known    []string     // the names of all variables
	finished bool         // the file was read, and what has no flag is set

	settings []*kong.Flag      // all that have a variable, in order
	origins  map[string]origin // of those that are set, by the first variable
	filed    map[string]string // by variables that --env-file has set, its path
}

var _ kong.Resolver = (*environment)(nil)

func newEnvironment(environ []string) *environment {
	values := make(map[string]string, len(environ))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	return &environment{values: values, origins: map[string]origin{}, filed: map[string]string{}}
}

// Validate is kong's; unknown variables are looked for elsewhere.
func (*environment) Validate(*kong.Application) error { return nil }

// Resolve gives kong the text of a flag that is not on the command line. What
// cannot be read is noted, and left out, so that kong goes on to the others.
func (e *environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	name, text := e.lookupFlag(flag)
	if text == "" {
		return nil, nil
	}
	trial := reflect.New(flag.Target.Type()).Elem()
	scan := kong.Scan().PushTyped(text, kong.FlagValueToken)
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, trial); err != nil {
		e.problems.addProblem(name, "%q cannot be read: wanted %s", text, describeType(flag.Target.Type()))
		return nil, nil
	}
	e.noteVariable(name)
	return text, nil
}

// lookupFlag finds the variable of a flag. An empty one is as good as none: that
// is what a compose file makes of a variable that its own environment lacks.
func (e *environment) lookupFlag(flag *kong.Flag) (name, text string) {
	for _, name := range flag.Envs {
		if isSecret(flag) {
			text = e.lookupSecret(name)
		} else {
			text = e.values[name]
		}
		if text != "" {
			return name, text
		}
	}
	return "", ""
}

// lookupSecret reads NAME, or the file that NAME_FILE names.
func (e *environment) lookupSecret(name string) string {
	path := e.values[name+"_FILE"]
	if path == "" {
		return e.values[name]
	}
	if e.values[name] != "" {
		e.problems.addProblem(name, "is set, and %s_FILE too: wanted one of them", name)
		return e.values[name]
	}
	text, err := readSecretFile(path)
	if err != nil {
		e.problems = append(e.problems, problem{name, fmt.Errorf("%s_FILE: %q cannot be read: %w", name, path, err)})
	}
	return text
}

// readSecretFile cuts off one newline, which editors and echo add.
func readSecretFile(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if text == "" {
		return "", errors.New("it is empty")
	}
	return text, nil
}

// checkUnknown refuses variables that look like ours and are not: a misspelt
// age or limit must not be taken for its default.
func (e *environment) checkUnknown() {
	for name, value := range e.values {
		if strings.HasPrefix(name, "PRUNED_") && !slices.Contains(e.known, name) && !isInjected(name, value) {
			e.problems.addProblem(name, "is not a setting: wanted one that is, such as %s", nearestName(name, e.known))
		}
	}
	slices.SortFunc(e.problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
}

// ofServices are the variables that Kubernetes makes for services called pruned or
// pruned-something, but for one whose name somebody may think of as well.
var ofServices = regexp.MustCompile(`^PRUNED_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// isInjected says whether Kubernetes made a variable.
func isInjected(name, value string) bool {
	return ofServices.MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}

func nearestName(name string, known []string) string {
	return slices.MinFunc(known, func(a, b string) int {
		return cmp.Compare(levenshtein.ComputeDistance(name, a), levenshtein.ComputeDistance(name, b))
	})
}

// envFile is the path of an .env file.
type envFile string

// envFileFlag is the only setting that is looked at before all others.
const envFileFlag = "env-file"

// loadFile adds what the file of the command line says. The real environment
// wins.
func (e *environment) loadFile(ctx *kong.Context) {
	for _, trace := range ctx.Path {
		if trace.Flag == nil || trace.Flag.Name != envFileFlag {
			continue
		}
		path, _ := ctx.FlagValue(trace.Flag).(envFile)
		content, err := os.ReadFile(string(path))
		if err != nil {
			e.problems = append(e.problems, problem{envFileFlag, fmt.Errorf("--%s: %q cannot be read: %w", envFileFlag, string(path), err)})
			continue
		}
		before := maps.Clone(e.values)
		if err := dotenv.Merge(e.values, string(content)); err != nil {
			e.problems = append(e.problems, problem{envFileFlag, fmt.Errorf("--%s: %q: %w", envFileFlag, string(path), err)})
		}
		for name, value := range e.values {
			if value != before[name] {
				e.filed[name] = string(path)
			}
		}
	}
}
