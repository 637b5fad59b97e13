//go:build !linux

package testenv

// InMemory knows of no such folder.
func InMemory() (dir string, ok bool) { return "", false }
