package config

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"pruned/config/dsn"
	"pruned/config/secret"
)

// Chroma is for the vector store chroma: a server, or, without a host, a file in
// Open WebUI's data folder. The defaults are the application's.
type Chroma struct {
	Host         string      `name:"chroma-http-host" env:"CHROMA_HTTP_HOST" address:"" placeholder:"HOST" help:"Server of the vector store chroma, or its URL; unset: the file in Open WebUI's data folder."`
	Port         int         `name:"chroma-http-port" env:"CHROMA_HTTP_PORT" default:"8000" help:"Its port, where the host is no URL."`
	SSL          bool        `name:"chroma-http-ssl" env:"CHROMA_HTTP_SSL" type:"truth" help:"It is spoken to by HTTPS."`
	Headers      secret.Text `name:"chroma-http-headers" env:"CHROMA_HTTP_HEADERS" flagless:"" help:"Headers of each request to it: name=value,name=value."`
	Tenant       string      `name:"chroma-tenant" env:"CHROMA_TENANT" default:"default_tenant" help:"Tenant."`
	Database     string      `name:"chroma-database" env:"CHROMA_DATABASE" default:"default_database" help:"Database."`
	AuthProvider string      `name:"chroma-client-auth-provider" env:"CHROMA_CLIENT_AUTH_PROVIDER" placeholder:"CLASS" help:"chromadb.auth.token_authn.TokenAuthClientProvider or chromadb.auth.basic_authn.BasicAuthClientProvider."`
	Credentials  secret.Text `name:"chroma-client-auth-credentials" env:"CHROMA_CLIENT_AUTH_CREDENTIALS" flagless:"" help:"Token, or user:password."`
}

// Chroma's own classes that say who the client is.
const (
	chromaAuthn = "chromadb.auth.token_authn.TokenAuthClientProvider"
	chromaBasic = "chromadb.auth.basic_authn.BasicAuthClientProvider"
)

// IsEmbedded says whether the store is a file that the application has open.
func (c Chroma) IsEmbedded() bool { return c.Host == "" }

// URL is the server's, without a path of the API, as Chroma's own client makes
// it (chromadb: api/base_http_client.py).
func (c Chroma) URL() (string, error) {
	raw := c.Host
	if !strings.HasPrefix(raw, "http://") && !strings.HasPrefix(raw, "https://") {
		host := strings.TrimSuffix(strings.TrimPrefix(raw, "["), "]")
		if !dsn.IsHost(host) && net.ParseIP(host) == nil {
			return "", errors.New("is neither a host nor a URL")
		}
		raw = "http://" + net.JoinHostPort(host, strconv.Itoa(c.Port))
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" {
		return "", errors.New("is neither a host nor a URL")
	}
	if c.SSL {
		u.Scheme = "https"
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/api/v2")
	return u.String(), nil
}

var headerName = regexp.MustCompile("^[\\w!#$%&'*+.^`|~-]+$")

// HeaderFields are the headers, by name.
func (c Chroma) HeaderFields() (map[string]string, error) {
	fields := map[string]string{}
	if c.Headers == "" {
		return fields, nil
	}
	for pair := range strings.SplitSeq(string(c.Headers), ",") {
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !ok || !headerName.MatchString(name) || strings.ContainsAny(value, "\r\n\x00") {
			return nil, errors.New("cannot be read: wanted name=value,name=value")
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

// Token is what proves who the client is, or empty.
func (c Chroma) Token() string { return c.credentialsFor(chromaAuthn) }

// UserPassword is user:password, or empty.
func (c Chroma) UserPassword() string { return c.credentialsFor(chromaBasic) }

func (c Chroma) credentialsFor(provider string) string {
	if c.AuthProvider != provider {
		return ""
	}
	return string(c.Credentials)
}

func (c Chroma) checkChroma(ps *problems) {
	checkRange(ps, "CHROMA_HTTP_PORT", c.Port, 1, 65535)
	if c.IsEmbedded() {
		return
	}
	if _, err := c.URL(); err != nil {
		// A URL may hold a password.
		ps.addProblem("CHROMA_HTTP_HOST", "%s %w: wanted a host name, or http(s)://host:port", secret.Redact(c.Host), err)
	}
	if _, err := c.HeaderFields(); err != nil {
		ps.addProblem("CHROMA_HTTP_HEADERS", "%w", err)
	}
	c.checkAuth(ps)
}

func (c Chroma) checkAuth(ps *problems) {
	switch c.AuthProvider {
	case "":
		return
	case chromaAuthn:
	case chromaBasic:
		if c.Credentials != "" && !strings.Contains(string(c.Credentials), ":") {
			ps.addProblem("CHROMA_CLIENT_AUTH_CREDENTIALS", "has no colon: wanted user:password")
		}
	default:
		ps.addProblem("CHROMA_CLIENT_AUTH_PROVIDER", "%q is not built yet: wanted one of %s, %s", c.AuthProvider, chromaAuthn, chromaBasic)
	}
	if c.Credentials == "" {
		ps.addProblem("CHROMA_CLIENT_AUTH_CREDENTIALS", "is not set: wanted what CHROMA_CLIENT_AUTH_PROVIDER sends")
	}
}
