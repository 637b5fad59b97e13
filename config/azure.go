package config

import (
	"encoding/base64"
	"strings"

	"pruned/config/secret"
)

// Azure is for STORAGE_PROVIDER=azure.
type Azure struct {
	Endpoint  string      `name:"azure-storage-endpoint" env:"AZURE_STORAGE_ENDPOINT" address:"" placeholder:"URL" help:"Address of the account, such as https://NAME.blob.core.windows.net."`
	Container string      `name:"azure-storage-container-name" env:"AZURE_STORAGE_CONTAINER_NAME" help:"Container."`
	Key       secret.Text `name:"azure-storage-key" env:"AZURE_STORAGE_KEY" flagless:"" help:"Key of the account; unset: as AZURE_CLIENT_ID and its like, or the machine say."`
}

func (a Azure) checkAzure(ps *problems) {
	if a.Endpoint == "" {
		ps.addProblem("AZURE_STORAGE_ENDPOINT", "is not set: wanted Open WebUI's, as STORAGE_PROVIDER is azure")
	} else {
		checkServerAddress(ps, "AZURE_STORAGE_ENDPOINT", a.Endpoint, "[/ACCOUNT]")
	}
	if a.Container == "" || strings.Contains(a.Container, "/") {
		ps.addProblem("AZURE_STORAGE_CONTAINER_NAME", "%q is no container: wanted Open WebUI's, as STORAGE_PROVIDER is azure", a.Container)
	}
	if _, err := base64.StdEncoding.DecodeString(string(a.Key)); err != nil {
		ps.addProblem("AZURE_STORAGE_KEY", "is no key of an account: wanted base64")
	}
}
