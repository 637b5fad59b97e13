package config

import (
	"encoding/json"
	"net/url"
	"strings"

	"pruned/config/secret"
)

// GCS is for STORAGE_PROVIDER=gcs.
type GCS struct {
	Bucket      string      `name:"gcs-bucket-name" env:"GCS_BUCKET_NAME" help:"Bucket."`
	Credentials secret.Text `name:"google-application-credentials-json" env:"GOOGLE_APPLICATION_CREDENTIALS_JSON" flagless:"" help:"JSON of a service account; unset: as GOOGLE_APPLICATION_CREDENTIALS, gcloud's file or the machine say."`
	Emulator    string      `name:"storage-emulator-host" env:"STORAGE_EMULATOR_HOST" address:"" placeholder:"URL" help:"A server that takes Google's part, asked without credentials."`
}

func (g GCS) checkGCS(ps *problems) {
	if g.Bucket == "" {
		ps.addProblem("GCS_BUCKET_NAME", "is not set: wanted Open WebUI's, as STORAGE_PROVIDER is gcs")
	}
	if strings.Contains(g.Bucket, "/") {
		ps.addProblem("GCS_BUCKET_NAME", "%q is no bucket: wanted its name alone", g.Bucket)
	}
	var account struct {
		Type string `json:"type"`
	}
	if g.Credentials != "" && (json.Unmarshal([]byte(g.Credentials), &account) != nil || account.Type != "service_account") {
		ps.addProblem("GOOGLE_APPLICATION_CREDENTIALS_JSON", "is not the JSON of a service account: wanted its key, not the name of its file")
	}
	if g.Emulator != "" {
		checkServerAddress(ps, "STORAGE_EMULATOR_HOST", g.Emulator, "")
	}
}

// checkServerAddress takes no path but the one that is wanted to be possible.
func checkServerAddress(ps *problems, name, address, path string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || path == "" && strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		ps.addProblem(name, "%s is no address of a server: wanted http(s)://host:port%s", secret.Redact(address), path)
	}
}
