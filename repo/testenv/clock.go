package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// movableClock is the environment of a server whose clock SetClock moves. Time that only
// goes on, by which programs wait, is left alone.
func (s *Server) movableClock(ctx context.Context) ([]string, error) {
	install, err := unpacked(ctx, "faketime", "libfaketime")
	if err != nil {
		return nil, err
	}
	libraries, err := filepath.Glob(filepath.Join(install, "usr", "lib", "*-linux-gnu", "faketime", "libfaketimeMT.so.1"))
	if err != nil || len(libraries) != 1 {
		return nil, fmt.Errorf("find libfaketime in %s: %d are there: %w", install, len(libraries), err)
	}
	return []string{
		"LD_PRELOAD=" + libraries[0], "FAKETIME_TIMESTAMP_FILE=" + s.clock(), "FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
	}, s.SetClock("+0s")
}

func (s *Server) clock() string { return s.scratch.path("clock") }

// SetClock has the server's clock differ from the machine's within a second: "+2d", "-1h".
func (s *Server) SetClock(offset string) error {
	next := s.clock() + ".next"
	if err := os.WriteFile(next, []byte(offset+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(next, s.clock())
}
