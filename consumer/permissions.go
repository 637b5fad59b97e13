package consumer

import "strings"

// Permissions are the subjects that a user of the queue's server needs to run pruned, with
// every command: the form of the server's own settings.
type Permissions struct {
	Publish   []string `json:"publish"`
	Subscribe []string `json:"subscribe"`
}

// The requests of JetStream that every stream takes, those of streams that events, hints and
// dead letters are consumed from, those of streams that somebody reads one message of, and those
// of streams that somebody purges.
var (
	streamAPI   = []string{"STREAM.INFO.%", "STREAM.CREATE.%", "STREAM.UPDATE.%", "STREAM.DELETE.%", "STREAM.MSG.DELETE.%", "CONSUMER.CREATE.%.>", "CONSUMER.DELETE.%.*", "CONSUMER.MSG.NEXT.%.*"}
	consumedAPI = []string{"CONSUMER.INFO.%.*"}
	readAPI     = []string{"STREAM.MSG.GET.%"}
	purgedAPI   = []string{"STREAM.PURGE.%"}
)

// PermissionsOf are those of an installation whose stream has this name.
func PermissionsOf(stream string) (Permissions, error) {
	n, err := newNames(stream)
	if err != nil {
		return Permissions{}, err
	}
	p := Permissions{Subscribe: []string{"_INBOX.>"}, Publish: []string{
		n.eventSubjects(), n.hintSubjects(), n.scheduleSubjects(), n.deletedSubjects(), n.deadLetterSubjects(), n.prefix + ".probe.>",
		"$KV." + n.controlBucket() + ".>", "_INBOX.>", "$JS.API.INFO",
	}}
	for _, s := range []string{n.stream, n.scheduleStream(), n.hintStream(), n.deadLetterStream(), n.deletedStream(), n.controlStream()} {
		p.allow(s, streamAPI)
	}
	for _, s := range []string{n.stream, n.hintStream(), n.deadLetterStream()} {
		p.allow(s, consumedAPI)
		p.Publish = append(p.Publish, "$JS.ACK."+s+".>")
	}
	p.allow(n.stream, readAPI, purgedAPI, []string{"CONSUMER.LIST.%"})
	p.allow(n.deadLetterStream(), readAPI, purgedAPI)
	p.allow(n.controlStream(), readAPI)
	return p, nil
}

// allow adds requests about a stream.
func (p *Permissions) allow(stream string, requests ...[]string) {
	for _, list := range requests {
		for _, request := range list {
			p.Publish = append(p.Publish, "$JS.API."+strings.ReplaceAll(request, "%", stream))
		}
	}
}
