package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
)

// service is where Kubernetes tells a pod about its cluster.
const service = "/var/run/secrets/kubernetes.io/serviceaccount/"

// Here is this machine. Numbers are kept as digests: machine-id(5) wants its own
// kept secret.
func Here() Machine {
	host, _ := os.Hostname()
	return Machine{
		Host:     host,
		Boot:     digest(content("/proc/sys/kernel/random/boot_id")),
		System:   digest(content("/etc/machine-id")),
		Hardware: digest(hardware()),
	}
}

// hardware is a number that a cloned machine does not have. A pod moves between the
// machines of its cluster: there it is the cluster and the namespace.
func hardware() string {
	if authority := content(service + "ca.crt"); authority != "" {
		return authority + "/" + content(service+"namespace")
	}
	for _, name := range []string{
		"/sys/class/dmi/id/product_uuid", "/sys/hypervisor/uuid", "/proc/device-tree/serial-number",
	} {
		if number := content(name); number != "" {
			return number
		}
	}
	return ""
}

// content is what a small file holds, or nothing where it cannot be read.
func content(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return strings.Trim(string(text), " \n\x00")
}

func digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
