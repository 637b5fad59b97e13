//go:build !linux

package testenv

import (
	"errors"
	"syscall"
)

// account needs what only Linux has: a signal at the death of the parent.
type account struct{}

func serverAccount() (account, error) {
	return account{}, errors.New("the test servers need Linux; run the tests in a container")
}

func (account) attributes() *syscall.SysProcAttr { return nil }
func (account) mortal() *syscall.SysProcAttr     { return nil }
func (account) own(string) error                 { return nil }
