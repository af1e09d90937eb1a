package main

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
	"github.com/tonprobe/tonprobe/tui"
	"github.com/tonprobe/tonprobe/tui/words"
)

// fan is a made-up probe with everything that a new probe requires: a data type that
// describes its fields, its texts, and a step of the plan.
type fan struct{}

func (fan) Name() string { return "host.fan" }
func (fan) Version() int { return 1 }
func (fan) Run(context.Context, probe.Env) (probe.Result, error) {
	return probe.Result{Status: report.StatusOK, Data: &fanData{
		SpeedPct: new(87.5), State: "dusty", Maker: "Anna's Fan", Address: "203.0.113.77", Serial: "SN-4711",
	}}, nil
}

type fanData struct {
	SpeedPct *float64 `json:"speed_pct,omitempty" show:"summary details dashboard analysis"`
	NoiseDB  *float64 `json:"noise_db,omitempty" show:"details dashboard"`
	State    string   `json:"state" oneof:"clean dusty" show:"details dashboard"`
	Maker    string   `json:"maker" private:"device" show:"dashboard"`
	Address  string   `json:"address" form:"net" private:"address" show:"dashboard"`
	Serial   string   `json:"serial" show:"never"`
}

const fanTextsDE = `
[probe."host.fan"]
name = "Lüfter"
brief = "Lüfter"
[field."host.fan"]
speed_pct = "Drehzahl des Lüfters"
noise_db = "Lärm des Lüfters"
state = "Zustand des Lüfters"
maker = "Bauart des Lüfters"
address = "Netz des Lüfters"
[value]
dusty = "verstaubt"
[summary."host.fan"]
speed = "Der Lüfter läuft mit {speed_pct}."
`

const fanTextsEN = `
[probe."host.fan"]
name = "Fan"
brief = "Fan"
[field."host.fan"]
speed_pct = "Speed of the fan"
noise_db = "Noise of the fan"
state = "State of the fan"
maker = "Make of the fan"
address = "Network of the fan"
[value]
dusty = "full of dust"
[summary."host.fan"]
speed = "The fan runs at {speed_pct}."
`

func (fan) step() probe.Step {
	return probe.Step{Probe: fan{}, Budget: time.Second, Turn: probe.Turn{Sends: probe.Nothing()}}
}

// hop is a made-up probe of the network: it connects to a server in a phase that waits
// for another probe and for the line budget.
type hop struct{ server string }

func (hop) Name() string     { return "network.hop" }
func (hop) Version() int     { return 1 }
func (hop) Phases() []string { return []string{"connect"} }

func (h hop) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	if _, err := env.Enter(ctx, "connect"); err != nil {
		return probe.Result{}, err
	}
	began := env.Clock.Now()
	conn, err := env.Dial(ctx, "tcp", h.server)
	if err != nil {
		return probe.Result{Status: report.StatusFail, Data: &hopData{}}, nil
	}
	took := env.Clock.Now().Sub(began)
	return probe.Result{Status: report.StatusOK, Data: &hopData{ConnectMS: new(float64(took.Microseconds()) / 1000)}}, conn.Close()
}

type hopData struct {
	ConnectMS *float64 `json:"connect_ms,omitempty" show:"details dashboard"`
}

const hopTextsDE = `
[probe."network.hop"]
name = "Sprung zum Server"
brief = "Sprung"
[field."network.hop"]
connect_ms = "Dauer des Sprungs"
`

const hopTextsEN = `
[probe."network.hop"]
name = "Hop to the server"
brief = "Hop"
[field."network.hop"]
connect_ms = "Duration of the hop"
`

func (h hop) step() probe.Step {
	return probe.Step{
		Probe: h, Budget: 10 * time.Second, Turn: probe.Turn{Sends: probe.Nothing()},
		Phases: []probe.Phase{{Name: "connect", Turn: probe.Turn{
			After: []probe.Mark{{Step: fan{}.Name()}}, Sends: []probe.Rate{{UpKbps: 2, DownKbps: 2, For: time.Second}},
		}}},
	}
}

// madeUp returns the descriptions and texts of both probes.
func madeUp(t *testing.T) diagnose.Glossary {
	t.Helper()
	texts := fstest.MapFS{"de.toml": {Data: []byte(fanTextsDE)}, "en.toml": {Data: []byte(fanTextsEN)}}
	g, err := diagnose.Glossary{}.With(texts, report.Probe{Name: fan{}.Name(), Data: (*fanData)(nil)})
	if err != nil {
		t.Fatal(err)
	}
	texts = fstest.MapFS{"de.toml": {Data: []byte(hopTextsDE)}, "en.toml": {Data: []byte(hopTextsEN)}}
	g, err = g.With(texts, report.Probe{Name: hop{}.Name(), Data: (*hopData)(nil)})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestAMadeUpProbe checks that the definitions above are sufficient for the plan,
// the report, the plain output, the details, an analysis, the collector and the
// dashboard.
func TestAMadeUpProbe(t *testing.T) {
	described := madeUp(t)
	c, a := startPair(t, server.Config{Glossary: described})
	_, address, _ := strings.Cut(c.server.URL(), "://")
	var plain bytes.Buffer
	r, err := tui.Run(t.Context(), tui.Options{
		Lang: phrase.DE, Plain: true, Agreed: true, In: strings.NewReader(""), Out: &plain, Glossary: described,
		Consent: tui.Consent{NoAudio: true},
		Check: func(ctx context.Context, _ tui.Choices, progress func(probe.Event)) (*report.Report, error) {
			return check.Run(ctx, check.Options{
				NoAudio: true, AgentID: a.id, Collector: &a.endpoint, Version: "test", Progress: progress,
				Plan: probe.Plan{hop{address}.step(), fan{}.step()}, Probes: described.Probes(),
			})
		},
		Deliver: func(ctx context.Context, r *report.Report) tui.Delivery { return a.deliver(ctx, described.Probes(), r) },
	})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "the plain output", plain.String(), "Lüfter: in Ordnung", "Sprung zum Server: in Ordnung", "Der Lüfter läuft mit 87,5 Prozent.")

	w, err := words.With(phrase.EN, described)
	if err != nil {
		t.Fatal(err)
	}
	details := ""
	for _, one := range w.Measured(r) {
		details += strings.Join(one.Lines, "\n") + "\n"
	}
	contains(t, "the details", details, "Speed of the fan: 87.5 %", "State of the fan: full of dust", "Noise of the fan: not", "Duration of the hop: ")
	contains(t, "an analysis", strings.Join(w.Values(r.Probes[1]), "\n"), "Speed of the fan: 87.5 %")

	page, document := c.participantPage(t)
	contains(t, "the dashboard", page, "Lüfter", "Drehzahl des Lüfters", "87,5 %", "Zustand des Lüfters", "verstaubt",
		"Lärm des Lüfters", "Sprung zum Server", "Dauer des Sprungs", "203.0.113.0/24")
	for place, text := range map[string]string{"the details": details, "the dashboard": page} {
		if strings.Contains(text, "SN-4711") {
			t.Errorf("%s: got the serial number, want it hidden", place)
		}
	}

	var stored struct {
		Probes []struct{ Data fanData }
	}
	if err := json.Unmarshal([]byte(document), &stored); err != nil || len(stored.Probes) != 2 {
		t.Fatalf("got error %v for %s, want two probes", err, document)
	}
	if d := stored.Probes[1].Data; d.Maker != "Fan" || d.Address != "203.0.113.0/24" || d.Serial != "SN-4711" {
		t.Errorf("got %+v, want Fan, 203.0.113.0/24, SN-4711", d)
	}
	for _, name := range []string{fan{}.Name(), hop{}.Name()} {
		if _, known := report.KnownProbes().Find(name); known {
			t.Error("the probes of this version were changed")
		}
	}
}

func contains(t *testing.T, place, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s: %q is missing in\n%s", place, want, text)
		}
	}
}

// participantPage signs in and returns the page of the only participant, and the
// document of the latest report.
func (c *collector) participantPage(t *testing.T) (page, document string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	get := func(address string) string {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Accept-Language", "de")
		resp, err := browser.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %s, error %v", address, resp.Status, err)
		}
		return html.UnescapeString(string(b))
	}
	find := func(expression, text string) string {
		found := regexp.MustCompile(expression).FindString(text)
		if found == "" {
			t.Fatalf("no match of %s in\n%s", expression, text)
		}
		return c.server.URL() + found
	}
	link, err := c.server.OneTimeLogin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page = get(find(`/participants/[0-9a-f]+(-[0-9a-f]+)+`, get(link)))
	return page, get(find(`/participants/[^"]*/document`, page))
}
