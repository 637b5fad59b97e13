//go:build !unix

package sqlite

import "path/filepath"

// checkWritable is found out by writing.
func checkWritable(string) error { return nil }

// fileNumber tells a file from its copies.
func fileNumber(path string) (string, error) { return filepath.Abs(path) }
