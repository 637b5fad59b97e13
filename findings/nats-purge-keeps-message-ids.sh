#!/usr/bin/env bash
# nats-server 2.15.2, nats.go 1.55.0 (Go modules).
#
# A message with an id is stored, the stream is purged, and the same id is
# published again: the answer is success (with the mark of a duplicate, and the
# sequence of the message that is gone), and nothing is stored. The ids of a
# stream outlive what they belong to, by its duplicate window (two minutes by
# default). After a new start of the server the same publish stores.
#
# Seen:
#   first: sequence 1, duplicate false, messages 1
#   after a purge: sequence 1, duplicate true, messages 0
#   after a restart: sequence 2, duplicate false, messages 1
#
# Whoever publishes again what was purged needs fresh ids, and must read the mark.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<'MODULE'
module finding

go 1.25

require (
	github.com/nats-io/nats-server/v2 v2.15.2
	github.com/nats-io/nats.go v1.55.0
)
MODULE

cat > main.go <<'PROGRAM'
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var ctx = context.Background()

func main() {
	folder := os.Args[1]
	js, stop := start(folder)
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	check(err)
	publish(js, "first")
	check(stream.Purge(ctx))
	publish(js, "after a purge")
	stop()
	js, stop = start(folder)
	publish(js, "after a restart")
	stop()
}

func publish(js jetstream.JetStream, when string) {
	ack, err := js.Publish(ctx, "s", nil, jetstream.WithMsgID("one"))
	check(err)
	stream, err := js.Stream(ctx, "S")
	check(err)
	fmt.Printf("%s: sequence %d, duplicate %t, messages %d\n", when, ack.Sequence, ack.Duplicate, stream.CachedInfo().State.Msgs)
}

func start(folder string) (jetstream.JetStream, func()) {
	s, err := server.NewServer(&server.Options{JetStream: true, StoreDir: folder, DontListen: true, NoSigs: true, NoLog: true})
	check(err)
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		log.Fatal("the server is not ready")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	check(err)
	js, err := jetstream.New(nc)
	check(err)
	return js, func() { nc.Close(); s.Shutdown(); s.WaitForShutdown() }
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
PROGRAM

go mod tidy >/dev/null 2>&1
go run . "$dir/store" | tee seen
diff - seen <<'WANTED'
first: sequence 1, duplicate false, messages 1
after a purge: sequence 1, duplicate true, messages 0
after a restart: sequence 2, duplicate false, messages 1
WANTED
