package testenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports below the range that the kernel gives to outgoing connections: a
// server that is restarted must find its port free, and a client that dials it
// meanwhile must not be given that port and so connect to itself.
const firstPort, lastPort = 15000, 32000

func freePort() (int, error) {
	var failures []error
	for range 20 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, listener.Close()
		}
		failures = append(failures, err)
	}
	return 0, fmt.Errorf("find a free port: %w", errors.Join(failures...))
}
