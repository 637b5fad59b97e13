package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Transactions in a page and in a file of the commit log.
const logFileXIDs, logFileSize = 32 * 4 * 8192, 32 * 8192

// SetNextXID restarts the server as if so many transactions had happened.
func (s *Server) SetNextXID(ctx context.Context, next uint32) error {
	if err := s.Shutdown(); err != nil {
		return err
	}
	if err := s.tool(ctx, "pg_resetwal", "--pgdata", s.data(), "--next-transaction-id", fmt.Sprint(next)); err != nil {
		return err
	}
	// The file that the next transaction's fate is written to must be there.
	name := filepath.Join(s.data(), "pg_xact", fmt.Sprintf("%04X", next/logFileXIDs))
	if err := os.WriteFile(name, make([]byte, logFileSize), 0o600); err != nil {
		return fmt.Errorf("extend the commit log: %w", err)
	}
	if err := s.account.own(name); err != nil {
		return err
	}
	return s.start(ctx)
}
