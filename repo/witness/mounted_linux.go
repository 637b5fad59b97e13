package witness

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// findMount tells of a path where it lies within its file system, on which device
// that is (by its numbers), and which disk that device is. See proc(5), mountinfo.
func findMount(path string) (inner, device, disk string) {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", "", ""
	}
	defer mounts.Close()
	nearest := ""
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		root, at := unescapeName(fields[3]), unescapeName(fields[4])
		rest, below := strings.CutPrefix(path, strings.TrimSuffix(at, "/"))
		if !below || rest != "" && rest[0] != '/' || len(at) < len(nearest) {
			continue
		}
		nearest, device = at, fields[2]
		inner = filepath.Join(root, rest)
	}
	return inner, device, hashFact(findDisk(device))
}

// unescapeName undoes what mountinfo does to names.
func unescapeName(name string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(name)
}

// findDisk is the number of a block device that a copy of its content does not have:
// that of the disk, of the logical volume, or the file behind a loop device. Many
// virtual disks have none.
func findDisk(device string) string {
	folder, err := filepath.EvalSymlinks("/sys/dev/block/" + device)
	if err != nil {
		return ""
	}
	// A partition lies below its disk.
	part := readFact(filepath.Join(folder, "partition"))
	if part != "" {
		folder = filepath.Dir(folder)
	}
	for _, name := range []string{"dm/uuid", "md/uuid", "loop/backing_file", "wwid", "device/wwid", "serial", "device/serial"} {
		if number := readFact(filepath.Join(folder, name)); number != "" {
			return name + " " + number + " " + part
		}
	}
	return ""
}
