package diagnose_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestDescribedFieldsHaveNames: every described probe and field has a name in every
// language, and every name belongs to a described field.
func TestDescribedFieldsHaveNames(t *testing.T) {
	labels := map[string]bool{}
	var collect func([]report.Field, bool)
	collect = func(fields []report.Field, entries bool) {
		for _, f := range fields {
			// Entries of lists that no screen shows need no names.
			if !entries || f.ShownAt(^report.Place(0)) {
				labels[f.LabelKey] = true
			}
			collect(f.Fields, true)
		}
	}
	for _, p := range report.KnownProbes().All() {
		collect(p.Fields(), false)
	}
	if len(labels) < 150 {
		t.Fatalf("only %d fields found", len(labels))
	}
	for _, lang := range phrase.Langs() {
		b := texts(t, lang)
		for key := range labels {
			if !b.Has(key) {
				t.Errorf("%s: %s is missing", lang, key)
			}
		}
		for _, key := range b.Keys() {
			if strings.HasPrefix(key, "field.") && !labels[key] {
				t.Errorf("%s: %s names a field that no probe has", lang, key)
			}
		}
	}
}

// TestSummarySentencesNameTheirFields: the sentences of the summary contain only fields
// that the summary shows.
func TestSummarySentencesNameTheirFields(t *testing.T) {
	b := texts(t, phrase.EN)
	for _, key := range b.Keys() {
		rest, ok := strings.CutPrefix(key, "summary.")
		if !ok {
			continue
		}
		name := rest[:strings.LastIndexByte(rest, '.')]
		p, ok := report.KnownProbes().Find(name)
		if !ok {
			t.Errorf("%s: there is no probe %s", key, name)
		}
		for _, field := range b.Placeholders(key) {
			if f, ok := p.Field(field); !ok || !f.ShownAt(report.Summary) {
				t.Errorf("%s: the summary does not show %s", key, field)
			}
		}
	}
}

// TestEvidenceIsDescribed: the evidence of every cause is a described field, with the
// unit of its description.
func TestEvidenceIsDescribed(t *testing.T) {
	for code, provoke := range provocations() {
		r := healthy()
		provoke(r)
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		for _, c := range causes {
			for _, e := range c.Evidence {
				p, _ := report.KnownProbes().Find(e.Probe)
				if f, ok := p.Field(e.Field); !ok || f.Unit != e.Unit {
					t.Errorf("%s: evidence %s.%s in %q: described %t, in %q", code, e.Probe, e.Field, e.Unit, ok, f.Unit)
				}
			}
		}
	}
}

// fan is the data of a probe that this version does not have.
type fan struct {
	SpeedPct *float64         `json:"speed_pct,omitempty" show:"summary details"`
	RateKbps *float64         `json:"rate_kbps,omitempty" show:"summary"`
	State    string           `json:"state,omitempty" oneof:"dusty" show:"details"`
	Address  string           `json:"address,omitempty" form:"net" private:"address" show:"details"`
	Blades   []blade          `json:"blades,omitempty" max:"3" show:"details"`
	Motor    *blade           `json:"motor,omitempty" show:"details"`
	Secret   *bool            `json:"secret,omitempty" show:"never"`
	Wind     *report.Interval `json:"wind_pct_ci95,omitempty" show:"details"`
}

type blade struct {
	Name  string   `json:"name,omitempty" show:"details"`
	RTTMS *float64 `json:"rtt_ms,omitempty" show:"details"`
	Bent  *bool    `json:"bent,omitempty" show:"never"`
}

func TestGlossaryShowsWhatIsDescribed(t *testing.T) {
	names := []byte("[probe.\"host.fan\"]\nname = \"Fan\"\nbrief = \"Fan\"\n[value]\ndusty = \"full of dust\"\n" +
		"[field.\"host.fan\"]\nspeed_pct = \"Speed\"\nrate_kbps = \"Rate\"\nstate = \"State\"\naddress = \"Network\"\nblades = \"Blade\"\n" +
		"motor = \"Motor\"\nsecret = \"Secret\"\nwind_pct_ci95 = \"Wind\"\n" +
		"[field.\"host.fan.blades\"]\nname = \"called\"\nrtt_ms = \"turns in\"\n[field.\"host.fan.motor\"]\nname = \"Motor type\"\nrtt_ms = \"Motor delay\"\n")
	g, err := diagnose.Glossary{}.With(fstest.MapFS{"de.toml": {Data: names}, "en.toml": {Data: names}},
		report.Probe{Name: "host.fan", Data: (*fan)(nil)})
	if err != nil {
		t.Fatal(err)
	}
	terms := g.In(phrase.EN)
	if name, ok := terms.Probe("host.fan"); name != "Fan" || !ok {
		t.Errorf("Probe(host.fan) = %q, %t; want Fan, true", name, ok)
	}
	if _, ok := (diagnose.Glossary{}).In(phrase.EN).Probe("host.fan"); ok {
		t.Error("the names of this version were changed")
	}
	result := report.Result{Name: "host.fan", Data: &fan{RateKbps: new(12340.0), State: "dusty", Address: "203.0.113.0/24",
		Blades: []blade{{Name: "left", RTTMS: new(3.0), Bent: new(true)}, {Name: "right"}}, Motor: &blade{Name: "DC"}, Secret: new(true),
		Wind: &report.Interval{1.5, 2}}}
	want := []diagnose.Figure{
		{Name: "Speed", Unknown: true}, {Name: "State", Value: "full of dust"}, {Name: "Network", Value: "203.0.113.0/24"},
		{Name: "Blade", Value: "called left, turns in 3\u00a0ms"}, {Name: "Blade", Value: "called right"},
		{Name: "Motor type", Value: "DC"}, {Name: "Motor delay", Unknown: true}, {Name: "Wind", Value: "1.5–2\u00a0%"},
	}
	if got := terms.Figures(result, report.Details); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := terms.Figures(report.Result{Name: "host.fan"}, report.Details); got != nil {
		t.Errorf("without data: got %+v, want nothing", got)
	}
	if got := terms.Figures(result, report.Dashboard); got == nil || len(got) != 0 {
		t.Errorf("in a place that shows no field of it: got %+v; want non-nil, none", got)
	}
	if got := terms.Summary(&report.Report{Probes: []report.Result{result}}); !slices.Equal(got, []string{"Rate: 12.3\u00a0Mbit/s"}) {
		t.Errorf("got summary %q, want %q", got, []string{"Rate: 12.3\u00a0Mbit/s"})
	}
}

// TestHostsAreShown: names of servers are displayed as they are in the report.
func TestHostsAreShown(t *testing.T) {
	r := result(report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org"})
	for _, at := range []report.Place{report.Details, report.Dashboard} {
		figures := diagnose.Glossary{}.In(phrase.EN).Figures(r, at)
		if !slices.ContainsFunc(figures, func(f diagnose.Figure) bool { return f.Value == "bbb.example.org" }) {
			t.Errorf("got %+v, want a figure bbb.example.org", figures)
		}
	}
}

// TestWordsOfFields: a word that means something else in a field has a text for that.
func TestWordsOfFields(t *testing.T) {
	terms := diagnose.Glossary{}.In(phrase.DE)
	for _, c := range []struct {
		e    report.Evidence
		want string
	}{
		{report.Evidence{Probe: report.ProbeNATTURN, Field: "tls_error", Value: "tls"}, "weist sich nicht richtig aus"},
		{report.Evidence{Probe: report.ProbeZoom, Field: "relays.error", Value: "tls"}, "weist sich nicht richtig aus"},
		{report.Evidence{Probe: report.ProbeNATTURN, Field: "tls_error", Value: "quota"}, "Server ist voll"},
		{report.Evidence{Probe: report.ProbeNetworkWeb, Field: "stage", Value: "tls"}, "verschlüsselt"},
	} {
		if got := terms.Evidence(c.e); !strings.HasSuffix(got, ": "+c.want) {
			t.Errorf("%s = %v: got %q, want %q", c.e.Field, c.e.Value, got, c.want)
		}
	}
	ports := report.Result{Name: report.ProbeZoom, Data: &report.Conference{Ports: []report.ConferencePort{{Protocol: "tcp", Port: new(8801), Answer: report.PortRejected}}}}
	for _, f := range terms.Figures(ports, report.Dashboard) {
		if f.Name == "Ports des Systems" && f.Value != "Protokoll TCP, Port 8801, Ergebnis abgewiesen" {
			t.Errorf("got %q, want the protocol TCP", f.Value)
		}
	}
}
