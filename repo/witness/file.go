package witness

import "path/filepath"

// LocateFile is the place of a file or a folder, on this machine. What the system does not
// tell is left out; the path is complete, without links.
func LocateFile(path string) Place {
	p := Place{Path: resolvePath(path), Machine: DescribeMachine()}
	p.Inner, p.Device, p.Disk = findMount(p.Path)
	return p
}

// resolvePath is an absolute path without links, as far as that can be found out.
func resolvePath(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return path
}
