package main

import "context"

// networkFaults are those of what lies between the daemon and its servers.
var networkFaults = []fault{
	breakLinks("network to PostgreSQL cut", (*network).toDatabase, (*link).cut, "connect"),
	breakLinks("network to PostgreSQL slow", (*network).toDatabase, (*link).slow, ""),
	breakLinks("network to PostgreSQL silent", (*network).toDatabase, (*link).swallow, "connect"),
	breakLinks("network to NATS cut", (*network).toQueue, (*link).cut, "nats"),
	breakLinks("network to NATS slow", (*network).toQueue, (*link).slow, ""),
	breakLinks("network to NATS silent", (*network).toQueue, (*link).swallow, "nats"),
	breakLinks("every network silent", (*network).links, (*link).swallow, "connect"),
}

func breakLinks(name string, links func(*network) []*link, how func(*link) error, unready string) fault {
	return fault{
		name: name, unready: unready,
		provoke: func(_ context.Context, r *ruin) error { return each(links(r.network), how) },
		lift:    func(ctx context.Context, r *ruin) error { return r.network.restore(ctx) },
	}
}
