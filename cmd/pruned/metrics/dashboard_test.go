package metrics

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// query is one of the dashboard or of the rules, with the labels that its texts name.
type query struct {
	where, expr string
	named       []string
}

// targetLabels Prometheus adds to every series that it scrapes.
var targetLabels = []string{"instance", "job"}

var (
	legendLabel     = regexp.MustCompile(`{{\s*(\w+)\s*}}`)
	annotationLabel = regexp.MustCompile(`\$labels\.(\w+)`)
)

func labelsIn(text string, form *regexp.Regexp) (names []string) {
	for _, match := range form.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	return names
}

// readDashboard reads the queries of all panels, as Grafana puts them: with its variables
// filled in.
func readDashboard(t *testing.T) (queries []query) {
	t.Helper()
	content, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			ID      int
			Type    string
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
		Templating struct{ List []struct{ Name, Type string } }
	}
	require.NoError(t, json.Unmarshal(content, &dashboard))
	seen := map[int]bool{}
	for _, panel := range dashboard.Panels {
		require.False(t, seen[panel.ID], "two panels have id %d", panel.ID)
		seen[panel.ID] = true
		require.Equal(t, panel.Type == "row", len(panel.Targets) == 0, panel.Title)
		for _, target := range panel.Targets {
			expr := strings.NewReplacer("$instance", ".*", "$__rate_interval", "5m").Replace(target.Expr)
			queries = append(queries, query{panel.Title, expr, labelsIn(target.LegendFormat, legendLabel)})
		}
	}
	require.NotEmpty(t, queries)
	return queries
}

// readAlerts reads the queries of all rules, in which Prometheus' own reader finds no fault.
func readAlerts(t *testing.T) (queries []query) {
	t.Helper()
	groups, errs := rulefmt.ParseFile("alerts.yaml", false, model.UTF8Validation)
	require.Empty(t, errs)
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			require.Contains(t, []string{"warning", "critical"}, rule.Labels["severity"], rule.Alert)
			require.NotEmpty(t, rule.Annotations["description"], "%s says what to do", rule.Alert)
			require.Positive(t, rule.For, "%s fires at one scrape", rule.Alert)
			queries = append(queries, query{rule.Alert, rule.Expr, labelsIn(rule.Annotations["summary"]+rule.Annotations["description"], annotationLabel)})
		}
	}
	require.NotEmpty(t, queries)
	return queries
}

// exposedLabels are the labels of each series that /metrics exposes, by its name.
func exposedLabels(t *testing.T) map[string][]string {
	t.Helper()
	families, err := newTest(t).registry.Gather()
	require.NoError(t, err)
	exposed := map[string][]string{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := slices.Clone(targetLabels)
			for _, label := range m.GetLabel() {
				labels = append(labels, label.GetName())
			}
			if m.GetHistogram() == nil {
				exposed[family.GetName()] = labels
				continue
			}
			exposed[family.GetName()+"_sum"], exposed[family.GetName()+"_count"] = labels, labels
			exposed[family.GetName()+"_bucket"] = append(slices.Clone(labels), "le")
		}
	}
	return exposed
}

// Every query of the dashboard and of the rules asks for what /metrics exposes, and names
// only labels that its answer has.
func TestDashboardAndAlertsAskForWhatIsExposed(t *testing.T) {
	t.Parallel()
	exposed := exposedLabels(t)
	for _, q := range append(readDashboard(t), readAlerts(t)...) {
		expr, err := parser.ParseExpr(q.expr)
		require.NoError(t, err, q.where)
		known := map[string]bool{}
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			selector, ok := node.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			labels, there := exposed[selector.Name]
			require.True(t, there, "%s: /metrics has no %s", q.where, selector.Name)
			for _, label := range labels {
				known[label] = true
			}
			for _, matcher := range selector.LabelMatchers {
				require.Contains(t, append(labels, model.MetricNameLabel), matcher.Name, "%s: %s", q.where, selector)
			}
			return nil
		})
		require.NotEmpty(t, known, q.where)
		left := known
		parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
			aggregation, ok := node.(*parser.AggregateExpr)
			if !ok {
				return nil
			}
			for _, label := range aggregation.Grouping {
				require.True(t, known[label], "%s: nothing has a label %s", q.where, label)
			}
			if len(path) == 0 { // the answer has no others
				left = map[string]bool{}
				for _, label := range aggregation.Grouping {
					left[label] = true
				}
			}
			return nil
		})
		for _, label := range q.named {
			require.True(t, left[label], "%s: its answer has no label %s", q.where, label)
		}
	}
}

// What a matcher for one of few words asks for must be one of them.
func TestDashboardAndAlertsNameWordsThatAreThere(t *testing.T) {
	t.Parallel()
	families, err := newTest(t).registry.Gather()
	require.NoError(t, err)
	words := map[string]bool{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				words[family.GetName()+" "+label.GetName()+" "+label.GetValue()] = true
			}
		}
	}
	for _, q := range append(readDashboard(t), readAlerts(t)...) {
		expr, err := parser.ParseExpr(q.expr)
		require.NoError(t, err, q.where)
		for _, selector := range parser.ExtractSelectors(expr) {
			for _, matcher := range selector {
				if matcher.Name == model.MetricNameLabel || slices.Contains(targetLabels, matcher.Name) {
					continue
				}
				for word := range strings.SplitSeq(matcher.Value, "|") {
					require.True(t, words[selector[len(selector)-1].Value+" "+matcher.Name+" "+word], "%s: %s", q.where, matcher)
				}
			}
		}
	}
}

// Figures of disks are asked for at each scrape.
func TestDisksAreAskedAtEachScrape(t *testing.T) {
	t.Parallel()
	size := uint64(0)
	d := newDisks(func() []Disk { size++; return []Disk{{Place: "uploads", Free: size, Total: 2 * size}} })
	for want := 1; want < 3; want++ {
		r := prometheus.NewPedanticRegistry()
		r.MustRegister(d)
		require.Equal(t, map[string]float64{"pruned_disk_free_bytes": float64(want), "pruned_disk_size_bytes": 2 * float64(want)}, told(t, r))
	}
}
