package config

import (
	"net/url"

	"pruned/config/secret"
)

// Notify is who is told what a person, or another program, should know.
type Notify struct {
	URL     secret.Text `name:"notify-url" env:"PRUNED_NOTIFY_URL" flagless:"" help:"Where it is posted (CloudEvents) that a sweep is held, or an event became a dead letter; unset: nowhere."`
	Secret  secret.Text `name:"notify-secret" env:"PRUNED_NOTIFY_SECRET" flagless:"" help:"Secret by which these are signed (HMAC-SHA256)."`
	Deleted bool        `name:"deleted-events" env:"PRUNED_DELETED_EVENTS" type:"truth" help:"Publish on pruned.event.* what was deleted, for others to react to."`
}

func (n Notify) checkNotify(ps *problems) {
	if n.URL == "" {
		if n.Secret != "" {
			ps.addProblem("PRUNED_NOTIFY_SECRET", "is set, and PRUNED_NOTIFY_URL is not: wanted the address that it is for")
		}
		return
	}
	if u, err := url.Parse(string(n.URL)); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		ps.addProblem("PRUNED_NOTIFY_URL", "is no address of a web server: wanted http://host/path or https://host/path")
	}
	if length := len(n.Secret); length > 0 && length < minTokenLength {
		ps.addProblem("PRUNED_NOTIFY_SECRET", "has %d characters: wanted %d or more, such as those of openssl rand -hex 32", length, minTokenLength)
	}
}
