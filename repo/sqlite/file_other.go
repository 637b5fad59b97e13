//go:build !unix

package sqlite

import "path/filepath"

// writable is found out by writing.
func writable(string) error { return nil }

// fileNumber tells a file from its copies.
func fileNumber(path string) (string, error) { return filepath.Abs(path) }
