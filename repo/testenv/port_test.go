package testenv

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A standby once answered with what another test's server held: its port had
// been free while that server was between being killed and being restarted.
func TestPortIsGivenOnce(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, reservePort(FreePort(t)), "another test's")
}
