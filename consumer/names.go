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

func newNames(stream string) (names, error) {
	if !plainToken.MatchString(stream) {
		return names{}, fmt.Errorf("PRUNED_STREAM is %s, wanted up to 64 letters, digits, _ and -", event.QuoteText(stream))
	}
	return names{stream: stream, prefix: strings.ToLower(stream)}, nil
}

func (n names) deadLetterStream() string { return n.stream + "_DEAD" }
func (n names) scheduleStream() string   { return n.stream + "_LATER" }
func (n names) hintStream() string       { return n.stream + "_HINTS" }

func (n names) deletedStream() string { return n.stream + "_DELETED" }

func (n names) controlBucket() string { return n.stream + "_CONTROL" }
func (n names) controlStream() string { return "KV_" + n.controlBucket() } // as buckets are stored

func (n names) deletedSubjects() string           { return n.prefix + ".event.>" }
func (n names) deletedSubject(kind string) string { return n.prefix + ".event." + kind }

func (n names) eventSubjects() string { return n.prefix + ".orphan.>" }
func (n names) eventSubject(source string) string {
	return n.prefix + ".orphan." + subjectToken(source)
}
func (n names) hintSubjects() string            { return n.prefix + ".hint.>" }
func (n names) hintSubject(event string) string { return n.prefix + ".hint." + subjectTokens(event) }
func (n names) scheduleSubjects() string        { return n.prefix + ".later.>" }
func (n names) scheduleSubject(about string) string {
	return n.prefix + ".later." + subjectToken(about)
}
func (n names) dueSubject() string         { return n.prefix + ".due" }
func (n names) deadLetterSubjects() string { return n.prefix + ".dead.>" }
func (n names) probeSubject(stream string) string {
	return n.prefix + ".probe." + strings.ToLower(stream) + "."
}
func (n names) deadLetterSubject(letter string) string { return n.prefix + ".dead." + letter }

var plainToken = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// subjectToken makes one subject token of any text. Texts that are none get a mark
// that no plain token has, so that two texts never share one.
func subjectToken(s string) string {
	if plainToken.MatchString(s) {
		return s
	}
	return "~" + base64.RawURLEncoding.EncodeToString([]byte(s))
}

// subjectTokens makes a subject of a name with dots, such as an event's: what is no
// token becomes one.
func subjectTokens(name string) string {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		parts[i] = subjectToken(part)
	}
	return strings.Join(parts, ".")
}
