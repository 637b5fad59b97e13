package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChromaURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host string
		ssl  bool
		want string
	}{
		{"chroma", false, "http://chroma:8000"},
		{"chroma_1.lan", true, "https://chroma_1.lan:8000"},
		{"::1", false, "http://[::1]:8000"},
		{"[::1]", false, "http://[::1]:8000"},
		{"http://chroma", false, "http://chroma"},
		{"http://chroma:9000/", true, "https://chroma:9000"},
		{"https://c/proxied/api/v2", false, "https://c/proxied"},
	} {
		got, err := Chroma{Host: c.host, Port: 8000, SSL: c.ssl}.URL()
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
}

func TestChromaThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for want, environ := range map[string][]string{
		"CHROMA_HTTP_HOST: *** is neither a host nor a URL: wanted a host name, or http(s)://host:port":            {"CHROMA_HTTP_HOST=a b"},
		"CHROMA_HTTP_HOST: http://u:***@c is neither a host nor a URL: wanted a host name, or http(s)://host:port": {"CHROMA_HTTP_HOST=http://u:hunter2@c"},
		"CHROMA_HTTP_PORT: 0 is out of range: wanted a whole number from 1 to 65535":                               {"CHROMA_HTTP_PORT=0"},
		`CHROMA_HTTP_PORT: "http" cannot be read: wanted a whole number`:                                           {"CHROMA_HTTP_PORT=http"},
		"CHROMA_HTTP_HEADERS: cannot be read: wanted name=value,name=value":                                        {"CHROMA_HTTP_HOST=c", "CHROMA_HTTP_HEADERS=X-Token:hunter2"},
		"CHROMA_CLIENT_AUTH_CREDENTIALS: is not set: wanted what CHROMA_CLIENT_AUTH_PROVIDER sends":                {"CHROMA_HTTP_HOST=c", "CHROMA_CLIENT_AUTH_PROVIDER=" + chromaAuthn},
		"CHROMA_CLIENT_AUTH_CREDENTIALS: has no colon: wanted user:password":                                       {"CHROMA_HTTP_HOST=c", "CHROMA_CLIENT_AUTH_PROVIDER=" + chromaBasic, "CHROMA_CLIENT_AUTH_CREDENTIALS=hunter2"},
		`CHROMA_CLIENT_AUTH_PROVIDER: "mine" is not built yet: wanted one of ` + chromaAuthn + `, ` + chromaBasic:  {"CHROMA_HTTP_HOST=c", "CHROMA_CLIENT_AUTH_PROVIDER=mine", "CHROMA_CLIENT_AUTH_CREDENTIALS=hunter2"},
	} {
		assert.Equal(t, []string{want}, lines(t, with(append(environ, "VECTOR_DB=chroma")...)))
	}
}

func TestWhatChromaIsSent(t *testing.T) {
	t.Parallel()
	fields, err := Chroma{Headers: "X-A=b, X-C=d=e"}.HeaderFields()
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"X-A": "b", "X-C": "d=e"}, fields)
	token := Chroma{AuthProvider: chromaAuthn, Credentials: "t"}
	assert.Equal(t, []string{"t", ""}, []string{token.Token(), token.UserPassword()})
	basic := Chroma{AuthProvider: chromaBasic, Credentials: "u:p"}
	assert.Equal(t, []string{"", "u:p"}, []string{basic.Token(), basic.UserPassword()})
	assert.Empty(t, Chroma{Credentials: "t"}.Token())
}
