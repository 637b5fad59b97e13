package main

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var profiling = regexp.MustCompile(`"profiles":"([^"]+)"`)

// Profiles are served on their own address, and never where health is.
func TestProfilesHaveAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()
	i, _ := scratch(t, "PRUNED_PPROF=127.0.0.1:0")
	d := i.start(t)
	url := d.url(t)
	address := profiling.FindStringSubmatch(d.errs.String())
	require.NotNil(t, address, d.errs.String())
	status, body := call(t, http.MethodGet, "http://"+address[1]+"/debug/pprof/goroutine?debug=1")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "goroutine profile: total")
	status, _ = call(t, http.MethodGet, url+"/debug/pprof/")
	require.Equal(t, http.StatusNotFound, status)
	require.Zero(t, d.stop(t))
}
