package testenv

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// A standby once answered with what another test's server held: its port had
// been free while that server was between being killed and being restarted.
func TestPortIsGivenOnce(t *testing.T) {
	t.Parallel()
	port := FreePort(t)
	for range 3 { // the lock goes with the file that holds it, which nobody must collect
		runtime.GC()
	}
	require.ErrorContains(t, reservePort(port), "another test's")
}
