package server

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// grafanaPanel is the part of a panel that Grafana needs.
type grafanaPanel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ H, W, X, Y int }
	Targets []struct{ RefID, Expr string }
}

var reMetric = regexp.MustCompile(`\b(?:tonprobe|go|process)_[a-z0-9_]+\b`)

// TestGrafanaDashboard checks that the dashboard in docs shows metrics that exist, and that its
// panels neither overlap nor share an id.
func TestGrafanaDashboard(t *testing.T) {
	b, err := os.ReadFile("../docs/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID, Title    string
		SchemaVersion int
		Panels        []grafanaPanel
		Templating    struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	if d.UID == "" || d.Title == "" || d.SchemaVersion == 0 || len(d.Panels) == 0 {
		t.Fatalf("got uid %q, title %q, version %d, %d panels; want each of them", d.UID, d.Title, d.SchemaVersion, len(d.Panels))
	}
	known, asked := metricNames(t), 0
	check := func(where, expr string) {
		for _, name := range reMetric.FindAllString(expr, -1) {
			asked++
			if !known[name] {
				t.Errorf("%s: there is no metric %s", where, name)
			}
		}
		if strings.Count(expr, "(") != strings.Count(expr, ")") || strings.Count(expr, "{") != strings.Count(expr, "}") {
			t.Errorf("%s: the brackets of %s are not closed", where, expr)
		}
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" {
			t.Errorf("panel %q has no id of its own", p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if x >= 24 || taken[[2]int{x, y}] != "" {
					t.Fatalf("panel %q is over %q, or beyond the edge", p.Title, taken[[2]int{x, y}])
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if refs[target.RefID] {
				t.Errorf("panel %q has two queries %s", p.Title, target.RefID)
			}
			refs[target.RefID] = true
			check(p.Title, target.Expr)
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
	}
	for _, v := range d.Templating.List {
		check(v.Name, v.Definition)
	}
	if asked < len(d.Panels) {
		t.Errorf("got %d names of metrics in %d panels, want at least one for each panel", asked, len(d.Panels))
	}
}

// metricNames returns the names of all metrics of a collector that was just started.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	r := run(t, Config{MetricsListen: "127.0.0.1:0"})
	r.get(t, "/healthz") // the first request creates the histogram
	resp, err := http.Get("http://" + r.metrics.listener.Addr().String() + MetricsPath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "#") {
			name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			name, _, _ = strings.Cut(name, "{")
			names[name] = true
		}
	}
	return names
}

func TestParticipantsAreCounted(t *testing.T) {
	r := run(t, Config{MetricsListen: "127.0.0.1:0"})
	if _, _, _, err := r.AddParticipant(t.Context(), "Anna Muster", ""); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + r.metrics.listener.Addr().String() + MetricsPath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`tonprobe_participants{state="never"} 1`, `tonprobe_participants{state="ready"} 0`, "tonprobe_common_causes 0", `tonprobe_reports_total{status="stored"} 0`} {
		if !strings.Contains(string(b), want+"\n") {
			t.Errorf("%s is missing in the metrics", want)
		}
	}
	if strings.Contains(string(b), "Anna") {
		t.Error("the metrics contain a name")
	}
}
