package witness

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// findMount tells of a path where it lies within its file system, on which device
// that is (by its numbers), and which disk that device is.
func findMount(path string) (inner, device, disk string) {
	m, _ := readMount(path) // what the system does not tell stays empty
	return m.inner, m.device, hashFact(findDisk(m.device))
}

// FileSystemType names the type of the file system that a file lies on, as mount(8) does;
// empty where the system does not tell.
func FileSystemType(path string) (string, error) {
	m, err := readMount(resolvePath(path))
	return m.kind, err
}

func readMount(path string) (m mount, err error) {
	lines, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return m, err
	}
	defer lines.Close()
	return nearestMount(lines, path), nil
}

// mount is where a path lies.
type mount struct{ at, inner, device, kind string }

// nearestMount is what is mounted nearest above path, by proc(5), mountinfo.
func nearestMount(lines io.Reader, path string) (nearest mount) {
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		before, after, _ := strings.Cut(scanner.Text(), " - ")
		fields, kinds := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(kinds) == 0 {
			continue
		}
		root, at := unescapeName(fields[3]), unescapeName(fields[4])
		rest, below := strings.CutPrefix(path, strings.TrimSuffix(at, "/"))
		if below && (rest == "" || rest[0] == '/') && len(at) >= len(nearest.at) {
			nearest = mount{at, filepath.Join(root, rest), fields[2], kinds[0]}
		}
	}
	return nearest
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
