package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/consumer/sweep"
	"pruned/repo"
)

//go:embed templates
var templateFiles embed.FS

// templates are the views by their names, each in the layout.
var templates = parseTemplates()

var templateFuncs = template.FuncMap{
	"asset":    func(name string) string { return assetNames[name] },
	"bytes":    bytesOf,
	"comma":    commaOf,
	"count":    sweep.FormatCount,
	"file":     fileLink,
	"date":     func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
	"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"ago":      func(t time.Time) string { return span(time.Since(t)) + " ago" },
	"span":     span,
	"duration": func(text string) time.Duration { d, _ := time.ParseDuration(text); return d }, // of ours
	"cut":      cut,
	"what":     func(d any) string { return sweep.DescribeFound(repo.Direction(fmt.Sprint(d))) },
	"join":     strings.Join,
}

func bytesOf(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

func commaOf(n any) string {
	switch n := n.(type) {
	case int:
		return humanize.Comma(int64(n))
	case int64:
		return humanize.Comma(n)
	case uint64:
		return humanize.Comma(int64(n))
	}
	return fmt.Sprint(n)
}

func parseTemplates() map[string]*template.Template {
	layout := template.Must(template.New("").Funcs(templateFuncs).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	views := map[string]*template.Template{}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err) // they are in the program
	}
	for _, name := range names {
		view := strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".html")
		if view != "layout" && view != "parts" {
			views[view] = template.Must(template.Must(layout.Clone()).ParseFS(templateFiles, name))
		}
	}
	return views
}

// frame is what every page shows round its view.
type frame struct {
	Title   string
	User    string // empty: nobody is signed in
	Views   []*view
	Current string // path of the view
	DryRun  bool
	Version string
	Closed  error  // why nothing is open
	Done    string // what an action came to
	Problem string // why the view, or an action, failed
	Body    any    // nil where the view could not be read
}

// render writes a page as a whole or not at all.
func (p *Page) render(w http.ResponseWriter, r *http.Request, status int, name string, f frame) {
	f.User, f.DryRun, f.Version = userOf(r), p.DryRun, p.Version
	for _, v := range allViews {
		if !v.hidden {
			f.Views = append(f.Views, v)
		}
	}
	var text bytes.Buffer
	if err := templates[name].ExecuteTemplate(&text, "layout", f); err != nil {
		p.Log.Error().Err(err).Str("view", name).Msg("a view cannot be shown")
		http.Error(w, "the view cannot be shown: the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // a browser that is gone has nobody to tell
}

// span writes a duration in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int64(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int64(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int64(d.Hours()))
	}
	return fmt.Sprintf("%dd", int64(d.Hours()/24))
}

// cut shortens a text to so many characters.
func cut(most int, text string) string {
	if shown := []rune(text); len(shown) > most {
		return string(shown[:most-1]) + "…"
	}
	return text
}
