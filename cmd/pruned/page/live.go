package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// liveEvery is the pause between two looks.
const liveEvery = 2 * time.Second

// live are figures of the process, in groups, and what people said about the work.
type live struct {
	Groups []liveGroup
	Paused bool
	Work   string
	Log    string
}

type liveGroup struct {
	Title   string
	Figures []liveFigure
}

type liveFigure struct{ Key, Name, Text string }

// liveSteps are the steps of a transaction, in their order.
var liveSteps = []string{"lock", "find", "vectors", "delete", "record", "recheck", "commit"}

// readLive asks the queue what was said: what this process follows may be a moment behind
// the button that was pressed.
func readLive(ctx context.Context, p *Page, open *Open, _ *http.Request) (any, error) {
	control, err := open.Queue.ReadControl(ctx)
	if err != nil {
		return nil, err
	}
	l := p.readFigures()
	l.Paused, l.Work = control.Paused != nil, control.Describe(open.Rate)
	l.Log = p.Recent.Text()
	return l, nil
}

// readFigures reads them as /metrics has them.
func (p *Page) readFigures() *live {
	all := p.Figures()
	return &live{Groups: []liveGroup{
		{"Queue", []liveFigure{
			count(all, "events that wait", "pruned_queue_pending_events"), count(all, "events under way", "pruned_queue_unacked_events"),
			seconds(all, "age of the oldest event", "pruned_queue_oldest_event_age_seconds"), count(all, "dead letters", "pruned_queue_dead_letters"),
		}},
		{"Events since the start", byLabel(all, "pruned_events_total{outcome=")},
		{"Transactions since the start", append(byLabel(all, "pruned_transactions_total{result="), mean(all, "mean time of one", "pruned_transaction_seconds"))},
		{"Mean time of a step", stepMeans(all)},
		{"Removed since the start", append(byLabel(all, "pruned_removed_total{kind="), size(all, "bytes", "pruned_removed_bytes_total"))},
		{"Still to be removed", byLabel(all, "pruned_tombstones{kind=")},
	}}
}

func count(all map[string]float64, name, key string) liveFigure {
	value, known := all[key]
	return liveFigure{key, name, orDash(known, commaOf(int64(value)))}
}

func seconds(all map[string]float64, name, key string) liveFigure {
	value, known := all[key]
	return liveFigure{key, name, orDash(known, span(time.Duration(value*float64(time.Second))))}
}

func size(all map[string]float64, name, key string) liveFigure {
	value, known := all[key]
	return liveFigure{key, name, orDash(known, bytesOf(int64(value)))}
}

func mean(all map[string]float64, name, key string) liveFigure {
	sum, n := all[key+" sum"], all[key+" count"]
	return liveFigure{key, name, orDash(n > 0, fmt.Sprintf("%.1f ms", 1000*sum/max(n, 1)))}
}

func stepMeans(all map[string]float64) (figures []liveFigure) {
	for _, step := range liveSteps {
		figures = append(figures, mean(all, step, fmt.Sprintf("pruned_transaction_step_seconds{step=%q}", step)))
	}
	return figures
}

func byLabel(all map[string]float64, prefix string) (figures []liveFigure) {
	for key := range all {
		if label, is := strings.CutPrefix(key, prefix); is {
			figures = append(figures, count(all, strings.ReplaceAll(strings.Trim(label, `"}`), "_", " "), key))
		}
	}
	slices.SortFunc(figures, func(a, b liveFigure) int { return strings.Compare(a.Key, b.Key) })
	return figures
}

func orDash(known bool, text string) string {
	if !known {
		return "–"
	}
	return text
}

// streamFigures sends the figures again and again, until the browser goes or the daemon
// stops.
func streamFigures(p *Page, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	response := http.NewResponseController(w)
	ticks := time.NewTicker(liveEvery)
	defer ticks.Stop()
	var logged string
	for {
		figures := map[string]string{}
		for _, group := range p.readFigures().Groups {
			for _, f := range group.Figures {
				figures[f.Key] = f.Text
			}
		}
		if open, err := p.Open(); err == nil {
			control, _ := open.Control.Current()
			figures["work"] = control.Describe(open.Rate)
		}
		if text := p.Recent.Text(); text != logged {
			figures["log"], logged = text, text
		}
		text, err := json.Marshal(figures)
		if err != nil || response.SetWriteDeadline(time.Now().Add(readTimeout)) != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil || response.Flush() != nil {
			return
		}
		select {
		case <-ticks.C:
		case <-r.Context().Done():
			return
		case <-p.ctx.Done():
			return
		}
	}
}
