package config

import (
	"cmp"
	"strings"

	"github.com/alecthomas/kong"

	"pruned/config/secret"
)

// Source says where the value of a setting comes from.
type Source string

// The sources. What was derived was not set: it was made from others, or found.
const (
	FromFlag        Source = "flag"
	FromEnvironment Source = "environment"
	FromEnvFile     Source = "env-file"
	FromDefault     Source = "default"
	Derived         Source = "derived"
)

// Setting is one setting as it holds, of which no secret shows.
type Setting struct {
	Name   string // of its variable
	Group  string
	Value  any // a text where it is a secret
	Source Source
	File   string // that the value was read from: that of NAME_FILE, or of --env-file
}

// Settings are those of one command line, for a command that shows them. kong hands them
// to the Run of a command that asks for them.
type Settings struct{ env *environment }

// List lists all of them, in the order and the groups of Config.
func (s *Settings) List() (list []Setting) {
	for _, flag := range s.env.settings {
		setting := Setting{Name: flag.Envs[0], Value: maskValue(flag), Source: FromDefault}
		if flag.Group != nil {
			setting.Group = flag.Group.Title
		}
		switch from, set := s.env.origins[setting.Name]; {
		case setting.Name == "DATABASE_URL" && s.hasURLParts():
			setting.Source = Derived
		case set:
			setting.Source, setting.File = from.source, from.file
		case !flag.HasDefault && !flag.Target.IsZero():
			setting.Source = Derived
		}
		list = append(list, setting)
	}
	return list
}

// hasURLParts says whether DATABASE_URL was made of its parts, which win over it.
func (s *Settings) hasURLParts() bool {
	for _, part := range []string{"DATABASE_TYPE", "DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME"} {
		if _, set := s.env.origins[part]; !set {
			return false
		}
	}
	_, user := s.env.origins["DATABASE_USER"]
	_, password := s.env.origins["DATABASE_PASSWORD"]
	return user || password
}

// maskValue is the value of a setting without what is secret in it. Of an address (tag
// address) it shows which server or database that is.
func maskValue(flag *kong.Flag) any {
	address := flag.Tag.Has("address")
	switch value := flag.Target.Interface().(type) {
	case secret.Text:
		if address {
			return secret.Redact(string(value))
		}
		return value.String()
	case string:
		if address && strings.ContainsAny(value, "/@") {
			return secret.Redact(value)
		}
		return value
	default:
		return value
	}
}

// origin is where a setting was read.
type origin struct {
	source Source
	file   string
}

// noteFlags notes what the command line sets, before anything else is looked for.
func (e *environment) noteFlags(ctx *kong.Context) {
	for _, trace := range ctx.Path {
		if trace.Flag != nil && len(trace.Flag.Envs) > 0 {
			e.origins[trace.Flag.Envs[0]] = origin{source: FromFlag}
		}
	}
}

// noteVariable notes that a setting was read from a variable, or from the file that
// NAME_FILE names.
func (e *environment) noteVariable(name string) {
	from, read := origin{source: FromEnvironment}, name
	if e.values[name] == "" {
		read = name + "_FILE"
		from.file = e.values[read]
	}
	if path, filed := e.filed[read]; filed {
		from = origin{FromEnvFile, cmp.Or(from.file, path)}
	}
	e.origins[name] = from
}
