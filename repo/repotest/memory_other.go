//go:build !linux

package repotest

// InMemory knows of no such folder.
func InMemory() (dir string, ok bool) { return "", false }
