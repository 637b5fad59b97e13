package secret

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"":                                   "",
		"hunter2":                            "***",
		"postgresql://u:hunter2@db:1/webui":  "postgresql://u:***@db:1/webui",
		"postgresql://u:@db/webui":           "postgresql://u:***@db/webui",
		"postgresql://:hunter2@[::1]:1/w":    "postgresql://:***@[::1]:1/w",
		"postgresql://db/webui":              "postgresql://db/webui",
		"postgresql://u:hun@ter2@db/webui":   "postgresql://u:***@db/webui",
		"postgresql://u:hunt/er2@db":         "postgresql://u:***@db",
		"postgresql://u:hunt?er2@db":         "postgresql://***",
		"postgresql://u:hunt#er2@db":         "postgresql://u:***@db",
		"postgresql://u:hunter2":             "postgresql://***",
		"postgresql://db/w?password=hunter2": "postgresql://db/w",
		"postgresql://u@db/w?password=a@b":   "postgresql://***",
		"postgresql://h unter2@db":           "postgresql://***@db",
		"hunter2 ://db":                      "***",
		"postgresql+psycopg2://u:h@h1:1,h2":  "postgresql+psycopg2://u:***@h1:1,h2",
		"nats://t0ken@n:4222":                "nats://***@n:4222",
		"nats://a:4222,nats://b:4222":        "nats://a:4222,nats://b:4222",
		"nats://u:p@a,nats://u:p@b":          "nats://u:***@b",
		"sqlite:////data/webui.db":           "sqlite:////data/webui.db",
		"host=db user=u password=hunter2":    "host=db user=u password=***",
		`password='hun \' ter2' dbname = w`:  "password=*** dbname=w",
		`host='a b' port=1`:                  "host=*** port=1",
		"host=db sslpassword=hunter2":        "host=db",
		"host=db password='hunter2":          "***",
		"host=db hunter2":                    "***",
	} {
		assert.Equal(t, want, Redact(dsn), dsn)
	}
}

// What is shown must not depend on the password: it is what is shown for
// another, or nothing.
func FuzzRedact(f *testing.F) {
	for _, password := range []string{"hunter2", "a@b", "a:b", "a/b", "a?b=@", "a#b", "1", "5432", "'", `\`, "://", ",nats://h", "a b=c", "&password=", "\x00", "%40"} {
		f.Add(password)
	}
	forms := []func(string) string{
		func(p string) string { return "postgresql://user:" + p + "@db:5432/webui?sslmode=require" },
		func(p string) string { return "postgresql://user:" + p + "@/webui" },
		func(p string) string { return "nats://user:" + p + "@n:4222" },
		func(p string) string { return "nats://" + strings.ReplaceAll(p, ":", "") + "@n:4222" }, // a token
		func(p string) string {
			return "host=db password='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(p) + "' dbname=webui"
		},
	}
	f.Fuzz(func(t *testing.T, password string) {
		for _, form := range forms {
			dsn := form(password)
			scheme, _, _ := strings.Cut(dsn, "://")
			allowed := []string{Redact(form("another")), hidden, scheme + "://" + hidden}
			if got := Redact(dsn); !slices.Contains(allowed, got) {
				t.Errorf("%q shows as %q", dsn, got)
			}
		}
	})
}
