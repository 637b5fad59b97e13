//go:build !linux

package main

import "errors"

// statDisk is told on Linux only.
func statDisk(string) (disk, error) { return disk{}, errors.ErrUnsupported }
