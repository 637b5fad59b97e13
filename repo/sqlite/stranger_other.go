//go:build !linux

package sqlite

import "errors"

// lockAsStranger needs locks that are not those of the process.
func lockAsStranger(string) (unlock func(), err error) { return nil, errors.ErrUnsupported }
