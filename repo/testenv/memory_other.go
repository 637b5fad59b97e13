//go:build !linux

package testenv

// memoryRoot knows of no such folder.
func memoryRoot() (root string, ok bool) { return "", false }
