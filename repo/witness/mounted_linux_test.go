package witness

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const mounts = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /data rw - fuse.sshfs user@host:/ rw
24 22 0:22 / /data/local rw shared:3 master:1 - fuse.grpcfuse grpcfuse rw
25 22 0:23 / /with\040space rw - fuse.rclone remote: rw
26 22 0:24 / /app rw - fuse.mergerfs a:b rw
27 26 0:25 / /app rw - nfs4 host:/ rw
`

func TestAPathLiesOnItsNearestMount(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/data/webui.db":       "fuse.sshfs",
		"/data/local/webui.db": "fuse.grpcfuse",
		"/dataset/webui.db":    "ext4",
		"/with space/webui.db": "fuse.rclone",
		"/app/webui.db":        "nfs4",
	} {
		require.Equal(t, want, nearestMount(strings.NewReader(mounts), path).kind, path)
	}
	require.Empty(t, nearestMount(strings.NewReader(""), "/data"))
}
