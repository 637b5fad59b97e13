package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// exampleEnv finds a variable and its value in the example for Kubernetes.
var exampleEnv = regexp.MustCompile(`(?m)^ +- \{name: ([A-Z][A-Z0-9_]*), value: "?([^"}]+)"?\}$`)

// Every variable of the example for Kubernetes is a setting, and together they are taken.
func TestKubernetesExampleIsConfiguration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("kubernetes/pruned.yaml")
	require.NoError(t, err)
	secrets := map[string]string{
		"DATABASE_URL": "postgresql://u:p@postgresql/openwebui", "NATS_URL": "nats://nats:4222", "PRUNED_WEBHOOK_TOKEN": token,
	}
	var environ []string
	for _, found := range exampleEnv.FindAllStringSubmatch(string(text), -1) {
		name, value := found[1], found[2]
		line := "| `" + name + "` |"
		if setting, isFile := strings.CutSuffix(name, "_FILE"); isFile {
			require.Contains(t, secrets, setting)
			line, value = "| `"+setting+"`, or `_FILE` |", file(t, secrets[setting])
		}
		require.Contains(t, settingsTable(), line, "%s is no setting", name)
		environ = append(environ, name+"="+value)
	}
	require.Len(t, environ, strings.Count(string(text), ", value: "))
	require.NotEmpty(t, environ)
	c, err := parse(environ)
	require.NoError(t, err)
	require.Equal(t, "pgvector", c.Vectors.DB)
}
