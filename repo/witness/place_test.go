package witness

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// host is a database on a machine that tells everything.
var host = Place{
	Path: "/data/webui.db", Inner: "/srv/webui.db", Device: "8:1", Disk: "disk-1",
	Machine: Machine{Host: "h1", Boot: "b1", System: "s1", Hardware: "hw1"},
}

// pod is one in a container without the rights of root.
var pod = Place{
	Path: "/app/backend/data/webui.db", Inner: "/docker/volumes/a/_data/webui.db", Device: "0:40",
	Machine: Machine{Host: "4f2a", Boot: "b1"},
}

// served is a database of a server.
var served = Place{
	Path: "db:5432", Server: "1000.5", Inner: "/docker/volumes/a/_data", Device: "8:1",
	Machine: Machine{Host: "4f2a", Boot: "b1"},
}

func with(p Place, change func(*Place)) Place {
	change(&p)
	return p
}

func TestIdentityGoesOn(t *testing.T) {
	t.Parallel()
	for what, c := range map[string][2]Place{
		"nothing changed": {host, host},
		"a reboot":        {host, with(host, func(p *Place) { p.Boot, p.Device = "b2", "8:17" })},
		"a reboot of a machine that tells little": {pod, with(pod, func(p *Place) { p.Boot, p.Device = "b2", "0:51" })},
		"another host name":                       {host, with(host, func(p *Place) { p.Host = "h2" })},
		"another host name after a reboot":        {host, with(host, func(p *Place) { p.Host, p.Boot = "h2", "b2" })},
		"a container made anew":                   {pod, with(pod, func(p *Place) { p.Host = "93bc" })},
		"a container made anew after a reboot, as root": {
			with(pod, func(p *Place) { p.Hardware = "hw1" }),
			with(pod, func(p *Place) { p.Hardware, p.Host, p.Boot, p.Device = "hw1", "93bc", "b2", "0:51" })},
		"a mount made anew (FUSE)":       {pod, with(pod, func(p *Place) { p.Device = "0:77" })},
		"the machine around a container": {pod, with(pod, func(p *Place) { p.Path, p.Host = "/var/lib/docker/volumes/a/_data/webui.db", "h1" })},
		"a pod on another machine":       {with(pod, func(p *Place) { p.Hardware = "cluster" }), with(pod, func(p *Place) { p.Hardware, p.Boot, p.Device = "cluster", "b9", "8:80" })},
		"a server that restarted":        {served, with(served, func(p *Place) { p.Server = "2000.5" })},
		"a server, and a container anew": {served, with(served, func(p *Place) { p.Server, p.Host = "2000.5", "93bc" })},
		"another machine, same server":   {served, with(served, func(p *Place) { p.Machine, p.Inner = Machine{Host: "x"}, "/y" })},
		"another address, same server":   {served, with(served, func(p *Place) { p.Path = "10.0.0.7:5432" })},
		"another folder, server anew":    {served, with(served, func(p *Place) { p.Server, p.Inner = "2000.5", "/root" })},
	} {
		assert.True(t, c[0].Is(c[1]), what)
		assert.True(t, c[1].Is(c[0]), what)
	}
}

func TestIdentityOfACopyIsAnother(t *testing.T) {
	t.Parallel()
	for what, c := range map[string][2]Place{
		"a copy beside it":                 {host, with(host, func(p *Place) { p.Path, p.Inner = "/data/b.db", "/srv/b.db" })},
		"a copied volume":                  {pod, with(pod, func(p *Place) { p.Host, p.Inner = "93bc", "/docker/volumes/b/_data/webui.db" })},
		"a copied volume, after a reboot":  {pod, with(pod, func(p *Place) { p.Boot, p.Inner = "b2", "/docker/volumes/b/_data/webui.db" })},
		"a copied layer of a container":    {pod, with(pod, func(p *Place) { p.Host, p.Device = "93bc", "0:77" })},
		"a cloned disk":                    {host, with(host, func(p *Place) { p.Disk = "disk-2" })},
		"a cloned disk, mounted elsewhere": {pod, with(pod, func(p *Place) { p.Path, p.Device = "/mnt/b/webui.db", "7:1" })},
		"a cloned disk on another machine": {pod, with(pod, func(p *Place) { p.Machine = Machine{Host: "h2", Boot: "b2"} })},
		"another system in one kernel":     {host, with(host, func(p *Place) { p.System = "s2" })},
		"a cloned virtual machine":         {host, with(host, func(p *Place) { p.Boot, p.Hardware = "b2", "hw2" })},
		"a pod of another cluster":         {with(pod, func(p *Place) { p.Hardware = "cluster" }), with(pod, func(p *Place) { p.Hardware, p.Boot = "other", "b2" })},
		"a server at another address":      {served, with(served, func(p *Place) { p.Server, p.Path = "2000.5", "db:5433" })},
		"a second stack on one machine":    {served, with(served, func(p *Place) { p.Server, p.Host, p.Inner = "2000.5", "93bc", "/docker/volumes/b/_data" })},
		"a stack on another machine":       {served, with(served, func(p *Place) { p.Server, p.Machine = "2000.5", Machine{Host: "93bc", Boot: "b2"} })},
		"nothing is known":                 {Place{Path: "/data/webui.db"}, Place{Path: "/data/webui.db"}},
	} {
		assert.False(t, c[0].Is(c[1]), what)
		assert.False(t, c[1].Is(c[0]), what)
	}
}

func TestIdentityOfEachPlace(t *testing.T) {
	t.Parallel()
	elsewhere := with(host, func(p *Place) { p.Path, p.Inner = "/b.db", "/b.db" })
	stays := []Stay{{"base/x", elsewhere}, {"base", host}, {"other", host}, {"baseless", host}}
	for _, c := range []struct {
		stays     []Stay
		base      string
		here      Place
		identity  string
		elsewhere bool
		where     string
	}{
		{nil, "base", host, "", false, ""},
		{stays, "base", host, "base", true, elsewhere.String()},
		{stays, "base", elsewhere, "base/x", false, host.String()},
		{stays, "base", pod, "", true, elsewhere.String()},
		{stays, "another", host, "", false, ""},
		{stays[2:], "base", host, "", false, ""},
	} {
		identity, elsewhere := FindIdentity(c.stays, c.base, c.here)
		assert.Equal(t, c.identity, identity)
		assert.Equal(t, c.elsewhere, elsewhere)
		assert.Equal(t, c.where, FindElsewhere(c.stays, c.base, identity))
	}
}

func TestPlacesAreKeptAsText(t *testing.T) {
	t.Parallel()
	require.Equal(t, Stay{"i", host}, ReadStay("i", host.Text()))
	require.Equal(t, Stay{"i", Place{}}, ReadStay("i", "{"))
}

// A file has a place, by whatever name it is opened.
func TestPlaceOfAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "webui.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(path, link))
	require.Equal(t, LocateFile(path), LocateFile(link))
	require.Equal(t, resolvePath(path), LocateFile(path).Path)
	require.True(t, LocateFile(path).Is(LocateFile(path)))
	copied := filepath.Join(dir, "copy.db")
	require.NoError(t, os.WriteFile(copied, nil, 0o600))
	require.False(t, LocateFile(path).Is(LocateFile(copied)))
	require.NotContains(t, LocateFile(path).Text(), readFact("/etc/machine-id"), "a secret")
}
