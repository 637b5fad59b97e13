package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// remoteVectors is a Chroma server that others may use.
type remoteVectors struct {
	t    *testing.T
	base string
}

func (v *remoteVectors) status(method, path, body string) int {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.base+"/api/v2/tenants/default_tenant/databases/default_database/collections"+path, bytes.NewBufferString(body))
	require.NoError(v.t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	require.NoError(v.t, err)
	require.NoError(v.t, response.Body.Close())
	return response.StatusCode
}

// insert makes the own collection of a file.
func (v *remoteVectors) insert(id string) {
	v.t.Helper()
	require.Equal(v.t, http.StatusOK, v.status(http.MethodPost, "", fmt.Sprintf(`{"name":"file-%s"}`, id)))
}

func (v *remoteVectors) has(id string) bool {
	v.t.Helper()
	return v.status(http.MethodGet, "/file-"+id, "") == http.StatusOK
}

// On a fresh installation a person's event deletes a file, and leaves its vectors
// in a server that nobody has said is this installation's.
func TestVectorsOfAServerWaitUntilItIsBound(t *testing.T) {
	t.Parallel()
	server := &remoteVectors{t, testenv.StartChroma(t, testenv.MemoryDir(t)).URL()}
	address, err := url.Parse(server.base)
	require.NoError(t, err)
	i := install(t).with("VECTOR_DB=chroma", "CHROMA_HTTP_HOST="+address.Hostname(), "CHROMA_HTTP_PORT="+address.Port())
	seeded := i.seed(t, 20, 1)
	file, used := seeded.Orphans[0], seeded.InUse[0]
	server.insert(file)
	server.insert(used)
	i.publish(t, file)
	summary := i.drain(t)
	require.Equal(t, 1, summary.Deleted)
	require.Equal(t, 1, summary.Waiting)
	require.Contains(t, summary.WaitingFor, "nobody has said yet that chroma at "+server.base)
	require.Zero(t, i.left(t, file).rows+i.left(t, file).bytes)
	require.True(t, server.has(file))
	require.Contains(t, i.must(t, "run", "--drain"), summary.WaitingFor, "for people too")
	d := ask[diagnosis](t, i, "doctor")
	require.Contains(t, d.of(t, "tombstones of vectors").Detail, "1 wait until chroma at "+server.base)
	require.Contains(t, d.of(t, "store").Detail, "not bound")

	held := i.sweep(t, exitHeld)
	require.EqualValues(t, 1, held.Held)
	i.sweep(t, exitDone, "--confirm", held.ID)
	summary = i.drain(t)
	require.Zero(t, summary.Waiting)
	require.Empty(t, summary.WaitingFor)
	require.False(t, server.has(file))
	require.True(t, server.has(used))
	require.Contains(t, ask[diagnosis](t, i, "doctor").of(t, "tombstones of vectors").Detail, "none waits")
}
