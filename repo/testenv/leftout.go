package testenv

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// leftOut are the tests that did not run, and why.
var leftOut struct {
	sync.Mutex
	tests []string
}

// LeaveOut leaves a test out. Main says so at the end.
func LeaveOut(t testing.TB, why string) {
	t.Helper()
	leftOut.Lock()
	defer leftOut.Unlock()
	leftOut.tests = append(leftOut.tests, fmt.Sprintf("%s (%s)", t.Name(), why))
	t.Skip(why)
}

func tellLeftOut() {
	for _, test := range slices.Sorted(slices.Values(leftOut.tests)) {
		fmt.Println("not run:", test)
	}
}
