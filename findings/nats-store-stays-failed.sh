#!/usr/bin/env bash
# nats-server 2.15.2, nats.go 1.55.0 (Go modules), a stream in files.
#
# One write that the file system refuses, and the stream takes nothing any more,
# although there is room again: each publish waits in vain for an answer, which
# is neither success nor an error. Only a new start of the server helps.
#
# The write is refused by a limit on the size of files (RLIMIT_FSIZE), which is
# lifted again. Seen:
#   room: stored
#   no room: no answer
#   room again: no answer
#   after a restart: stored
#
# Whoever embeds a server must notice this and start it anew.
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
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	signal.Ignore(syscall.SIGXFSZ)
	folder := os.Args[1]
	js, stop := start(folder)
	_, err := js.CreateStream(context.Background(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	check(err)
	fmt.Println("room:", publish(js))
	limitFiles(8 << 10)
	fmt.Println("no room:", publish(js))
	limitFiles(math.MaxUint64)
	fmt.Println("room again:", publish(js))
	stop()
	js, stop = start(folder)
	fmt.Println("after a restart:", publish(js))
	stop()
}

// publish stores two messages, more than fit where there is no room.
func publish(js jetstream.JetStream) string {
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		_, err := js.Publish(ctx, "s.a", make([]byte, 4096))
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return "no answer"
		} else if err != nil {
			return err.Error()
		}
	}
	return "stored"
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

func limitFiles(bytes uint64) {
	check(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: math.MaxUint64}))
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
room: stored
no room: no answer
room again: no answer
after a restart: stored
WANTED
