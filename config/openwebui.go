package config

import (
	"net/url"

	"pruned/config/secret"
)

// OpenWebUI is the application's own API, which restore --reindex speaks to, and where the page
// leads.
type OpenWebUI struct {
	URL   string      `name:"open-webui-url" env:"OPEN_WEBUI_URL" address:"" placeholder:"URL" help:"Where Open WebUI answers, such as http://open-webui:8080; for restore --reindex, and for the links of the page."`
	Token secret.Text `name:"open-webui-token" env:"OPEN_WEBUI_TOKEN" flagless:"" help:"Token or API key of one of its administrators; for restore --reindex."`
}

const wantedAPI = "wanted one such as http://open-webui:8080"

func (o OpenWebUI) checkAPI(ps *problems) {
	if o.URL == "" {
		return
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		ps.addProblem("OPEN_WEBUI_URL", "%s is not the address of a web server: %s", secret.Redact(o.URL), wantedAPI)
	}
}
