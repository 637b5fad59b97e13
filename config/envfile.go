package config

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// envFile is the path of an .env file. Open WebUI reads its own by python-dotenv,
// whose rules are followed to the letter: the Go libraries replace $NAME, and
// with it a part of many a password, where python-dotenv replaces only ${NAME}.
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
		if err := e.merge(string(content)); err != nil {
			e.problems = append(e.problems, problem{envFileFlag, fmt.Errorf("--%s: %q: %w", envFileFlag, string(path), err)})
		}
	}
}

var (
	envBlank  = regexp.MustCompile(`^\s+`)
	envExport = regexp.MustCompile(`^export[^\S\r\n]+`)
	envKey    = regexp.MustCompile(`^(?:'([^']+)'|([^=#\s]+))[^\S\r\n]*`)
	envEqual  = regexp.MustCompile(`^=[^\S\r\n]*`)
	envSingle = regexp.MustCompile(`(?s)^'((?:\\.|[^'\\])*)'`)
	envDouble = regexp.MustCompile(`(?s)^"((?:\\.|[^"\\])*)"`)
	envPlain  = regexp.MustCompile(`^[^\r\n]*`)
	envEnd    = regexp.MustCompile(`^[^\S\r\n]*(?:#[^\r\n]*)?(?:\r\n|\n|\r|$)`)

	envComment       = regexp.MustCompile(`\s+#.*`)
	envSingleEscapes = regexp.MustCompile(`\\[\\']`)
	envDoubleEscapes = regexp.MustCompile(`\\[\\'"abfnrtv]`)
	envVariable      = regexp.MustCompile(`\$\{([^}:]*)(?::-([^}]*))?\}`)
)

// envReader reads an .env file from its beginning.
type envReader struct{ rest string }

func (r *envReader) take(pattern *regexp.Regexp) ([]string, bool) {
	match := pattern.FindStringSubmatch(r.rest)
	if match == nil {
		return nil, false
	}
	r.rest = r.rest[len(match[0]):]
	return match, true
}

// merge reads a file's content. python-dotenv skips a line that it cannot read
// with a warning that nobody sees; here it is an error, which names the line and
// shows nothing of it: it may hold a password.
func (e *environment) merge(content string) error {
	ours := make(map[string]bool, len(e.values))
	for name, value := range e.values {
		ours[name] = value != ""
	}
	content = strings.TrimPrefix(content, "\ufeff")
	r := &envReader{content}
	for {
		r.take(envBlank)
		if r.rest == "" {
			return nil
		}
		line := 1 + strings.Count(strings.ReplaceAll(content[:len(content)-len(r.rest)], "\r\n", "\n"), "\n")
		name, value, set, ok := r.binding()
		if !ok {
			return fmt.Errorf("line %d cannot be read: wanted NAME=value", line)
		}
		if set && !ours[name] {
			e.values[name] = e.expand(value)
		}
	}
}

// binding reads one line, or several inside quotes. One with a name and no value
// sets nothing.
func (r *envReader) binding() (name, value string, set, ok bool) {
	if r.rest[0] != '#' {
		r.take(envExport)
		key, ok := r.take(envKey)
		if !ok {
			return "", "", false, false
		}
		name = key[1] + key[2]
		if equal, ok := r.take(envEqual); ok {
			set = true
			if value, ok = r.value(len(equal[0]) > 1); !ok {
				return "", "", false, false
			}
		}
	}
	_, ok = r.take(envEnd)
	return name, value, set, ok
}

// value reads what follows =; a # after a space begins a comment.
func (r *envReader) value(spaced bool) (string, bool) {
	switch {
	case strings.HasPrefix(r.rest, "'"):
		match, ok := r.take(envSingle)
		return unescape(envSingleEscapes, match), ok
	case strings.HasPrefix(r.rest, `"`):
		match, ok := r.take(envDouble)
		return unescape(envDoubleEscapes, match), ok
	case spaced && strings.HasPrefix(r.rest, "#"):
		return "", true
	}
	match, ok := r.take(envPlain)
	return strings.TrimSpace(envComment.ReplaceAllString(match[0], "")), ok
}

var escapes = map[string]string{
	"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}

func unescape(pattern *regexp.Regexp, match []string) string {
	if match == nil {
		return ""
	}
	return pattern.ReplaceAllStringFunc(match[1], func(text string) string {
		if control, ok := escapes[text[1:]]; ok {
			return control
		}
		return text[1:]
	})
}

// expand replaces ${NAME} and ${NAME:-default}.
func (e *environment) expand(value string) string {
	return envVariable.ReplaceAllStringFunc(value, func(text string) string {
		match := envVariable.FindStringSubmatch(text)
		if known, ok := e.values[match[1]]; ok {
			return known
		}
		return match[2]
	})
}
