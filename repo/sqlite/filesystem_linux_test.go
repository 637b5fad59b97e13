package sqlite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyKnownFuseIsLocal(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"fuse.sshfs": "fuse.sshfs", "fuse.grpcfuse": "", "ext4": "ext4", "fuse.rclone": "fuse.rclone", "nfs4": "nfs4", "": "fuse",
	} {
		require.Equal(t, want, remoteFuse(kind), kind)
	}
}

func TestLocalFileSystemIsNone(t *testing.T) {
	t.Parallel()
	kind, err := networkFileSystem(t.TempDir())
	require.NoError(t, err)
	require.Empty(t, kind)
}
