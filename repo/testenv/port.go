package testenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gofrs/flock"
)

// Ports below the range that the kernel gives to outgoing connections: a
// server that is restarted must find its port free, and a client that dials it
// meanwhile must not be given that port and so connect to itself.
const firstPort, lastPort = 15000, 32000

// reservedPorts holds the lock of each port, which the kernel frees when the process ends:
// a lock that nothing holds goes earlier, with its file, when that is collected.
var reservedPorts sync.Map

// FreePort returns a port of 127.0.0.1 that nobody listens on, and that no test
// is given again as long as this process runs.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := TakePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TakePort is FreePort outside tests.
func TakePort() (int, error) {
	var failures []error
	for range 20 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		err := reservePort(port)
		if err == nil {
			return port, nil
		}
		failures = append(failures, err)
	}
	return 0, fmt.Errorf("find a free port: %w", errors.Join(failures...))
}

// takePortRow takes n ports of which each is the one before and one.
func takePortRow(n int) (ports []int, err error) {
	var failures []error
	for range 20 {
		first, err := TakePort()
		ports = []int{first}
		for err == nil && len(ports) < n {
			err = reservePort(first + len(ports))
			ports = append(ports, first+len(ports))
		}
		if err == nil {
			return ports, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// reservePort locks the port for this process before it looks whether somebody
// listens there. A port is free for a while before its server has started, and
// again while the server is killed and restarted; where another test took it
// then, each would have asked the other's server.
func reservePort(port int) error {
	dir := filepath.Join(scratchRoot(), "ports")
	if err := mkdir(dir); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(dir, fmt.Sprint(port)))
	free, err := lock.TryLock()
	if err != nil {
		return err
	}
	if !free {
		return errors.Join(fmt.Errorf("port %d is another test's", port), lock.Close())
	}
	reservedPorts.Store(port, lock)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return listener.Close()
}
