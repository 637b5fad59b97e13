//go:build !linux

package main

import "errors"

// freeSpace is told on Linux only.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
