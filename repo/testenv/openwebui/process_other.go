//go:build !linux

package openwebui

import "syscall"

// Only Linux can tie a child to its parent's life.
func dieWithParent() *syscall.SysProcAttr { return nil }
