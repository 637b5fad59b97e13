package config

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"pruned/config/secret"
)

func TestSecretNeverShows(t *testing.T) {
	t.Parallel()
	c := Config{HTTP: HTTP{WebhookToken: "hunter2"}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T %v", "%10.3s"} {
		for _, value := range []any{c.HTTP.WebhookToken, &c.HTTP.WebhookToken, c, &c, []secret.Text{"hunter2"}} {
			shown := fmt.Sprintf(format, value)
			assert.NotContains(t, shown, "hunter2", format)
			assert.NotContains(t, shown, "68756e74657232", format)
		}
	}
	encoded, err := json.Marshal(c)
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), "hunter2")
	assert.Contains(t, string(encoded), `"WebhookToken":"***"`)
	assert.Equal(t, "***", c.HTTP.WebhookToken.String())
	assert.Equal(t, "***", c.HTTP.WebhookToken.GoString())
	assert.Empty(t, secret.Text("").String())
}
