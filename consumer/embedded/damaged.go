package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"
)

// A power cut may zero the state of a consumer, or cut it short. The server then
// leaves the consumer out, and refuses to make it again for ever. Everything else
// below the directory it reads around, or makes anew (tried, file by file). So what
// it left out is removed: whoever reads makes the consumer again, from the beginning
// of its stream, and handles what is there once more.

// removeDamaged starts the server again without the consumers that it could not read.
func (s *Server) removeDamaged(o Options) error {
	damaged, err := s.findDamaged()
	if err != nil || len(damaged) == 0 {
		return err
	}
	s.stopServer()
	for _, dir := range damaged {
		o.Log.Warn().Str("consumer", dir).Msg("the state of a consumer is damaged and was removed: what it had settled comes again")
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return fmt.Errorf("removing damaged consumers: %w", err)
	}
	return s.runServer(o)
}

// findDamaged are the directories of consumers that the server does not know, in
// streams that it knows.
func (s *Server) findDamaged() (dirs []string, err error) {
	info, err := s.server.Jsz(&server.JSzOptions{Accounts: true, Streams: true, Consumer: true})
	if err != nil {
		return nil, fmt.Errorf("asking the queue's server what it has read: %w", err)
	}
	for _, account := range info.AccountDetails {
		for _, stream := range account.Streams {
			known := map[string]bool{}
			for _, c := range stream.Consumer {
				known[c.Name] = true
			}
			below := filepath.Join(s.dir, server.JetStreamStoreDir, account.Name, "streams", stream.Name, "obs")
			entries, err := os.ReadDir(below)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("looking at the consumers of the queue: %w", err)
			}
			for _, entry := range entries {
				if entry.IsDir() && !known[entry.Name()] {
					dirs = append(dirs, filepath.Join(below, entry.Name()))
				}
			}
		}
	}
	return dirs, nil
}
