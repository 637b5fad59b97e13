#!/usr/bin/env bash
# nats-server 2.15.2, nats.go 1.55.0 (Go modules).
#
# A stream in files reads a whole block, of 8 MB by default, for the first message
# that is asked of it, and answers the following ones from memory. What it holds
# so is held weakly: each collection of garbage of its process takes it away, and
# the next message reads all 8 MB again, however small it is.
#
# Seen (64 reads of neighbours, of 200 bytes each, allocate):
#   one after the other: less than 16 MB
#   with a collection before each: more than 64 MB
#
# Who embeds the server and limits its memory (GOMEMLIMIT) has it collect often,
# and pays for each collection twice.
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
	"runtime"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	messages = 100_000 // of 200 bytes: three blocks
	first    = 20_000  // within the first block, which nobody writes to any more
	reads    = 64
)

var ctx = context.Background()

func main() {
	s, err := server.NewServer(&server.Options{JetStream: true, StoreDir: os.Args[1], DontListen: true, NoSigs: true, NoLog: true})
	check(err)
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		log.Fatal("the server is not ready")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	check(err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	check(err)
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	check(err)
	for range messages {
		_, err := js.PublishAsync("s", make([]byte, 200))
		check(err)
	}
	<-js.PublishAsyncComplete()

	fmt.Printf("one after the other: %s\n", sizeOf(read(stream, func() {})))
	fmt.Printf("with a collection before each: %s\n", sizeOf(read(stream, runtime.GC)))
}

// read returns how many MB it takes to read neighbours.
func read(stream jetstream.Stream, before func()) uint64 {
	var began, ended runtime.MemStats
	runtime.ReadMemStats(&began)
	for n := range reads {
		before()
		_, err := stream.GetMsg(ctx, first+uint64(n))
		check(err)
	}
	runtime.ReadMemStats(&ended)
	return (ended.TotalAlloc - began.TotalAlloc) >> 20
}

func sizeOf(mb uint64) string {
	fmt.Fprintf(os.Stderr, "(%d MB)\n", mb)
	switch {
	case mb < 16:
		return "less than 16 MB"
	case mb > 64:
		return "more than 64 MB"
	}
	return "something between"
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
one after the other: less than 16 MB
with a collection before each: more than 64 MB
WANTED
