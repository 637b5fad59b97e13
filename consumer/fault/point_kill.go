//go:build faults

package fault

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// at is the name of the moment at which this process ends, or is told to.
var at, inOrder = os.Getenv("FAULT_POINT"), os.Getenv("FAULT_SIGNAL") == "TERM"

// Point is a moment that has this name.
func Point(name string) {
	switch {
	case name != at:
	case inOrder:
		terminate()
	default:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal arrives
	}
}

// terminate tells this process to end, once, and returns when it has heard of it.
var terminate = sync.OnceFunc(func() {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGTERM)
	_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	<-heard
	fmt.Fprintln(os.Stderr, "told to end at:", at)
})
