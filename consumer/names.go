package consumer

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"pruned/consumer/event"
)

// durableName is the pull consumer that all workers of all processes share.
const durableName = "pruned"

// names are the streams of one installation and their subjects, all made from
// the one name that PRUNED_STREAM gives.
type names struct{ stream, prefix string }

// streamName is what config lets through too.
var streamName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func newNames(stream string) (names, error) {
	if !streamName.MatchString(stream) {
		return names{}, fmt.Errorf("PRUNED_STREAM is %s, wanted up to 64 letters, digits, _ and -", event.Quote(stream))
	}
	return names{stream: stream, prefix: strings.ToLower(stream)}, nil
}

func (n names) dead() string  { return n.stream + "_DEAD" }
func (n names) later() string { return n.stream + "_LATER" }
func (n names) told() string  { return n.stream + "_HINTS" }

func (n names) orphans() string               { return n.prefix + ".orphan.>" }
func (n names) orphan(source string) string   { return n.prefix + ".orphan." + token(source) }
func (n names) hints() string                 { return n.prefix + ".hint.>" }
func (n names) hint(event string) string      { return n.prefix + ".hint." + tokens(event) }
func (n names) schedules() string             { return n.prefix + ".later.>" }
func (n names) schedule(fileID string) string { return n.prefix + ".later." + token(fileID) }
func (n names) due() string                   { return n.prefix + ".due" }
func (n names) graves() string                { return n.prefix + ".dead.>" }
func (n names) probe(stream string) string {
	return n.prefix + ".probe." + strings.ToLower(stream) + "."
}
func (n names) grave(letter string) string { return n.prefix + ".dead." + letter }

var plainToken = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// token makes one subject token of any text. Texts that are none get a mark
// that no plain token has, so that two texts never share one.
func token(s string) string {
	if plainToken.MatchString(s) {
		return s
	}
	return "~" + base64.RawURLEncoding.EncodeToString([]byte(s))
}

// tokens makes a subject of a name with dots, such as an event's: what is no
// token becomes one.
func tokens(name string) string {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		parts[i] = token(part)
	}
	return strings.Join(parts, ".")
}
