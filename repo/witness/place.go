// Package witness tells whether a database runs where it ran before.
//
// Its central idea is that a copy carries everything that its original holds, so
// that no value in a database tells the two apart. What a copy does not carry lies
// around it: the machine, its kernel, the disk, the folder, the process that serves
// it. A database remembers the places where it ran, each with the identity that it
// had there. At one of them it has that identity again; anywhere else it is a copy
// until a person says otherwise, and gets an identity of its own.
//
// Recognised as the same: a reboot, a container that is made anew, a mount that is
// made anew (FUSE gives other inodes each time), a failover behind one address, a
// server that restarts, a program that moves to another machine while the server
// goes on. Recognised as a copy: a file copied beside its original or to another
// machine, a copied volume of a container, a cloned disk, a cloned virtual machine
// whose hardware has another number, a physical copy of a PostgreSQL cluster at
// another address.
//
// Not told from its original: a copy that is put in the place of the original; a
// virtual machine that is resumed twice from one snapshot of its memory; a cloned
// machine that has the same host name and whose hardware has no number that we may
// read (a container without the rights of root), or the same one; the pods of one
// namespace of Kubernetes that have the same paths. Taken for a copy, though it is
// none: a database that was moved, or whose disk was replaced, or a container that is
// made anew after a reboot and may read nothing of the hardware.
//
// The package knows neither engines nor the queue.
package witness

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Place is where a database was opened. What is empty is not known.
type Place struct {
	Path   string `json:"path"`             // of the file as this process sees it, or the address of the server
	Inner  string `json:"inner,omitempty"`  // of the file, or the data folder, within its file system: the same in each container
	Device string `json:"device,omitempty"` // of that file system, until it is mounted anew
	Disk   string `json:"disk,omitempty"`   // number of the disk, or file behind it
	Server string `json:"server,omitempty"` // when the process that serves the database was started
	Machine
}

// Machine is the machine that the program runs on.
type Machine struct {
	Host     string `json:"host,omitempty"`
	Boot     string `json:"boot,omitempty"`     // of the kernel
	System   string `json:"system,omitempty"`   // of the installed system, by machine-id(5)
	Hardware string `json:"hardware,omitempty"` // number of the hardware, or the cluster of Kubernetes
}

// Is says whether two places are one. A database that a server serves is asked for
// by its address, and may be from folders that differ.
func (p Place) Is(o Place) bool {
	served := p.Server != ""
	switch {
	case isSame(p.Server, o.Server):
		return true // no copy carries a process along
	case isDifferent(p.System, o.System), served && p.Path != o.Path:
		return false
	case (!served || p.Host != o.Host) && !p.sameFolder(o):
		return false
	case isSame(p.Boot, o.Boot):
		return p.Path == o.Path && p.Host == o.Host || isSame(p.Device, o.Device)
	case p.Path != o.Path, isDifferent(p.Hardware, o.Hardware):
		return false
	}
	return isSame(p.Hardware, o.Hardware) || isSame(p.System, o.System) || isSame(p.Host, o.Host)
}

func (p Place) sameFolder(o Place) bool { return p.Inner == o.Inner && !isDifferent(p.Disk, o.Disk) }

func isSame(a, b string) bool      { return a != "" && a == b }
func isDifferent(a, b string) bool { return a != "" && b != "" && a != b }

// String says where that is, for people.
func (p Place) String() string {
	if p.Host == "" {
		return p.Path
	}
	return fmt.Sprintf("%s, on %s", p.Path, p.Host)
}

// Stay is a place where a database ran, and the identity that it had there.
type Stay struct {
	Identity string
	Place    Place
}

// ReadStay reads a place as Text wrote it. What cannot be read is no place.
func ReadStay(identity, text string) (s Stay) {
	s.Identity = identity
	if json.Unmarshal([]byte(text), &s.Place) != nil {
		s.Place = Place{}
	}
	return s
}

// Text is what a database keeps of a place.
func (p Place) Text() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings can be encoded
	}
	return string(text)
}

// NewIdentity is an identity for what begins with base, here. Two processes that start at
// one place find the same.
func (p Place) NewIdentity(base string) string { return base + "/" + hashFact(p.Text()) }

// FindIdentity returns the identity that a database had at a place, among those that begin
// with base: what came with a copy that base tells from its original counts for
// nothing. elsewhere says that it ran at other places.
func FindIdentity(stays []Stay, base string, here Place) (identity string, elsewhere bool) {
	for _, s := range stays {
		if !s.hasBase(base) {
			continue
		}
		if s.Place.Is(here) {
			return s.Identity, elsewhere
		}
		elsewhere = true
	}
	return "", elsewhere
}

// FindElsewhere is the first of the places where a database had another identity than
// this one, or nothing.
func FindElsewhere(stays []Stay, base, identity string) string {
	for _, s := range stays {
		if s.hasBase(base) && s.Identity != identity {
			return s.Place.String()
		}
	}
	return ""
}

func (s Stay) hasBase(base string) bool {
	return s.Identity == base || strings.HasPrefix(s.Identity, base+"/")
}
