package page

import (
	"context"
	"net/http"

	"pruned/repo"
)

// doctor is what is wrong, and what to do about it.
type doctor struct {
	Whole    bool // else it is the health check
	Findings []repo.Finding
	Command  string
}

func readDoctor(ctx context.Context, p *Page, _ *Open, r *http.Request) (any, error) {
	d := &doctor{Whole: r.URL.Query().Get("all") == "1", Command: "pruned doctor --quick"}
	if d.Whole {
		d.Command = "pruned doctor"
	}
	var err error
	d.Findings, err = p.Commands.Examine(ctx, !d.Whole)
	return d, err
}

// settings are grouped as the help groups them.
type settings struct{ Groups []settingGroup }

type settingGroup struct {
	Name     string
	Settings []Setting
}

func readSettings(_ context.Context, p *Page, _ *Open, _ *http.Request) (any, error) {
	s := &settings{}
	for _, setting := range p.Commands.Settings() {
		if n := len(s.Groups); n == 0 || s.Groups[n-1].Name != setting.Group {
			s.Groups = append(s.Groups, settingGroup{Name: setting.Group})
		}
		last := &s.Groups[len(s.Groups)-1]
		last.Settings = append(last.Settings, setting)
	}
	return s, nil
}
