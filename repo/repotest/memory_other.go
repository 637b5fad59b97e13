//go:build !linux

package repotest

import "testing"

// MemoryDir is an empty folder for one test.
func MemoryDir(t testing.TB) string { return t.TempDir() }
