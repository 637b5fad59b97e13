package witness

import "path/filepath"

// File is the place of a file or a folder, on this machine. What the system does not
// tell is left out; the path is complete, without links.
func File(path string) Place {
	p := Place{Path: resolved(path), Machine: Here()}
	p.Inner, p.Device, p.Disk = mounted(p.Path)
	return p
}

// resolved is an absolute path without links, as far as that can be found out.
func resolved(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return path
}
