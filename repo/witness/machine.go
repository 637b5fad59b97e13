package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
)

// service is where Kubernetes tells a pod about its cluster.
const service = "/var/run/secrets/kubernetes.io/serviceaccount/"

// DescribeMachine is this machine. Numbers are kept as digests: machine-id(5) wants its own
// kept secret.
func DescribeMachine() Machine {
	host, _ := os.Hostname()
	return Machine{
		Host:     host,
		Boot:     hashFact(readFact("/proc/sys/kernel/random/boot_id")),
		System:   hashFact(readFact("/etc/machine-id")),
		Hardware: hashFact(findHardware()),
	}
}

// findHardware is a number that a cloned machine does not have. A pod moves between the
// machines of its cluster: there it is the cluster and the namespace.
func findHardware() string {
	if authority := readFact(service + "ca.crt"); authority != "" {
		return authority + "/" + readFact(service+"namespace")
	}
	for _, name := range []string{
		"/sys/class/dmi/id/product_uuid", "/sys/hypervisor/uuid", "/proc/device-tree/serial-number",
	} {
		if number := readFact(name); number != "" {
			return number
		}
	}
	return ""
}

// readFact is what a small file holds, or nothing where it cannot be read.
func readFact(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return strings.Trim(string(text), " \n\x00")
}

func hashFact(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
