// Package dotenv reads .env files by the rules of python-dotenv, by which Open WebUI
// reads its own, to the letter: the Go libraries replace $NAME, and with it a part of
// many a password, where python-dotenv replaces only ${NAME}.
package dotenv

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	blank        = regexp.MustCompile(`^\s+`)
	export       = regexp.MustCompile(`^export[^\S\r\n]+`)
	key          = regexp.MustCompile(`^(?:'([^']+)'|([^=#\s]+))[^\S\r\n]*`)
	equal        = regexp.MustCompile(`^=[^\S\r\n]*`)
	singleQuoted = regexp.MustCompile(`(?s)^'((?:\\.|[^'\\])*)'`)
	doubleQuoted = regexp.MustCompile(`(?s)^"((?:\\.|[^"\\])*)"`)
	unquoted     = regexp.MustCompile(`^[^\r\n]*`)
	lineEnd      = regexp.MustCompile(`^[^\S\r\n]*(?:#[^\r\n]*)?(?:\r\n|\n|\r|$)`)

	comment       = regexp.MustCompile(`\s+#.*`)
	singleEscapes = regexp.MustCompile(`\\[\\']`)
	doubleEscapes = regexp.MustCompile(`\\[\\'"abfnrtv]`)
	variable      = regexp.MustCompile(`\$\{([^}:]*)(?::-([^}]*))?\}`)
)

// reader reads an .env file from its beginning.
type reader struct{ rest string }

func (r *reader) match(pattern *regexp.Regexp) ([]string, bool) {
	match := pattern.FindStringSubmatch(r.rest)
	if match == nil {
		return nil, false
	}
	r.rest = r.rest[len(match[0]):]
	return match, true
}

// Merge adds what a file of this content sets to values, the environment, which wins
// where it is not empty. python-dotenv skips a line that it cannot read with a warning
// that nobody sees; here it is an error, which names the line and shows nothing of it:
// it may hold a password.
func Merge(values map[string]string, content string) error {
	ours := make(map[string]bool, len(values))
	for name, value := range values {
		ours[name] = value != ""
	}
	content = strings.TrimPrefix(content, "\ufeff")
	r := &reader{content}
	for {
		r.match(blank)
		if r.rest == "" {
			return nil
		}
		line := 1 + strings.Count(strings.ReplaceAll(content[:len(content)-len(r.rest)], "\r\n", "\n"), "\n")
		name, value, set, ok := r.readBinding()
		if !ok {
			return fmt.Errorf("line %d cannot be read: wanted NAME=value", line)
		}
		if set && !ours[name] {
			values[name] = expandVariables(values, value)
		}
	}
}

// readBinding reads one line, or several inside quotes. One with a name and no value
// sets nothing.
func (r *reader) readBinding() (name, value string, set, ok bool) {
	if r.rest[0] != '#' {
		r.match(export)
		named, ok := r.match(key)
		if !ok {
			return "", "", false, false
		}
		name = named[1] + named[2]
		if sign, ok := r.match(equal); ok {
			set = true
			if value, ok = r.readValue(len(sign[0]) > 1); !ok {
				return "", "", false, false
			}
		}
	}
	_, ok = r.match(lineEnd)
	return name, value, set, ok
}

// readValue reads what follows =; a # after a space begins a comment.
func (r *reader) readValue(spaced bool) (string, bool) {
	switch {
	case strings.HasPrefix(r.rest, "'"):
		match, ok := r.match(singleQuoted)
		return unescapeText(singleEscapes, match), ok
	case strings.HasPrefix(r.rest, `"`):
		match, ok := r.match(doubleQuoted)
		return unescapeText(doubleEscapes, match), ok
	case spaced && strings.HasPrefix(r.rest, "#"):
		return "", true
	}
	match, ok := r.match(unquoted)
	return strings.TrimSpace(comment.ReplaceAllString(match[0], "")), ok
}

var escapes = map[string]string{
	"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}

func unescapeText(pattern *regexp.Regexp, match []string) string {
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

// expandVariables replaces ${NAME} and ${NAME:-default}.
func expandVariables(values map[string]string, value string) string {
	return variable.ReplaceAllStringFunc(value, func(text string) string {
		match := variable.FindStringSubmatch(text)
		if known, ok := values[match[1]]; ok {
			return known
		}
		return match[2]
	})
}
