//go:build linux

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/cmd/pruned/demo"
	"pruned/repo/testenv"
)

// smallDisk mounts a disk of 64 MB. That takes the right to mount.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"), "these tests mount a small disk: run them as root, or with `unshare -Urm`")
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// fill leaves no byte free; what is returned makes room again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	file, err := os.Create(name)
	require.NoError(t, err)
	for size := 1 << 20; size > 0; {
		if _, err = file.Write(make([]byte, size)); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			size /= 2
		}
	}
	require.NoError(t, file.Close())
	return func() { require.NoError(t, os.Remove(name)) }
}

// hook posts the application's event that a file was deleted.
func (d *daemon) hook(t *testing.T, id string) int {
	t.Helper()
	return d.post(t, fmt.Sprintf(`{"id":%q,"event":"file.deleted","subject":{"id":"f-%[1]s"}}`, id))
}

// post posts an event of the application's, and returns the status of the answer.
func (d *daemon) post(t *testing.T, event string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url(t)+"/webhook/"+hookToken, strings.NewReader(event))
	require.NoError(t, err)
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// A full disk is waited for, and said, with what is free where; then all goes on,
// though the queue's server refuses every store for good after the first that failed.
func TestFullDiskIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*testing.T, string) *installation{
		"the queue's": func(t *testing.T, disk string) *installation {
			return install(t, testenv.Vectors(small)).with("PRUNED_DATA_DIR=" + disk)
		},
		"the application's": func(t *testing.T, disk string) *installation {
			world, err := demo.Make(t.Context(), disk, 10)
			require.NoError(t, err)
			hold(t, filepath.Join(world.Dir, "webui.db"))
			i := bare("DATA_DIR="+world.Dir, "PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_HTTP=127.0.0.1:0", "PRUNED_LOG_FORMAT=json")
			i.dir = world.Dir
			return i
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := smallDisk(t)
			i := set(t, disk).with("PRUNED_WEBHOOK_TOKEN=" + hookToken)
			d := i.start(t)
			d.becomes(t, http.StatusOK, "")
			require.Equal(t, http.StatusAccepted, d.hook(t, "before"))
			free := fill(t, disk)
			for n := 0; d.hook(t, fmt.Sprint("full", n)) == http.StatusAccepted; n++ {
				require.Less(t, n, 1000, "what fits into a page that is there already is stored")
			}
			d.becomes(t, http.StatusServiceUnavailable, "a disk is full")
			free()
			d.becomes(t, http.StatusOK, "")
			require.Equal(t, http.StatusAccepted, d.hook(t, "after"))
			require.Zero(t, d.stop(t))

			free = fill(t, disk)
			d = i.begin(t)
			d.becomes(t, http.StatusServiceUnavailable, "a disk is full")
			free()
			d.becomes(t, http.StatusOK, "")
			require.Zero(t, d.stop(t))
		})
	}
}
