package sqlite

import (
	"cmp"
	"os"
	"slices"
	"syscall"

	"pruned/repo/witness"
)

// networkMagic are the types of file systems that lie on another machine, by
// statfs(2).
var networkMagic = map[uint32]string{
	0x6969: "NFS", 0x517B: "SMB", 0xFF534D42: "CIFS", 0xFE534D42: "SMB2", 0x01021997: "9P", 0x00C36400: "Ceph",
	0x5346414F: "AFS", 0x6B414653: "AFS", 0x73757245: "Coda", 0x0BD00BD0: "Lustre", 0x7461636F: "OCFS2", 0x01161970: "GFS2",
	0x47504653: "GPFS", 0x19830326: "BeeGFS", 0x564C: "NCP",
}

const fuseMagic = 0x65735546

// localFuse are the file systems below FUSE that lie on this machine, also where
// a container's folder is one of the machine around it. Any other may be anywhere.
var localFuse = []string{"fuseblk", "fuse.ntfs", "fuse.exfat", "fuse.lxcfs", "fuse.fuse-overlayfs", "fuse.grpcfuse",
	"fuse.osxfs", "fuse.unionfs", "fuse.mergerfs", "fuse.shfs", "fuse.bindfs", "fuse.encfs", "fuse.gocryptfs", "virtiofs", "fakeowner"}

// networkFileSystem names the network file system that a path lies on, or nothing.
func networkFileSystem(path string) (string, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return "", &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	if uint32(fs.Type) != fuseMagic {
		return networkMagic[uint32(fs.Type)], nil
	}
	kind, err := witness.FileSystemType(path)
	return remoteFuse(kind), err
}

func remoteFuse(kind string) string {
	if slices.Contains(localFuse, kind) {
		return ""
	}
	return cmp.Or(kind, "fuse")
}
