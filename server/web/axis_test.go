package web_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

func crashes(events ...report.HostEvent) report.Result {
	return report.Result{Name: report.ProbeHostCrash, Status: report.StatusWarn, Data: &report.HostCrash{Events: events}}
}

func cable() report.Result {
	r := wifi()
	r.Data = &report.NetworkLink{Kind: "ethernet"}
	return r
}

// deskEvening adds a participant with a good check, a crash, a bad check, which is the case, and a
// good one after it.
func deskEvening(t *testing.T, g *rig) (p store.Participant, bad *report.Report) {
	t.Helper()
	p, agent := g.person("Erika", "")
	check := func(code string, probes ...report.Result) *report.Report {
		r := newReport(t, agent, code, g.clock(), probes...)
		g.keep(p, r)
		g.pass(20 * time.Minute)
		return r
	}
	check("A1B-2C3", microphone(nil), passage(), voice(0), internet(), wifi())
	crash := report.HostEvent{At: g.clock().Add(-8 * time.Minute), Kind: report.EventClientCrashed, Program: "Zoom"}
	bad = check("M2W-8RT", microphone(muted), passage(), voice(9.5), internet(), cable(), crashes(crash, report.HostEvent{At: g.clock().AddDate(5, 0, 0), Kind: report.EventBluescreen}))
	event := newReport(t, agent, "E1E-2E3", g.clock(), crashes(crash, report.HostEvent{At: g.clock(), Kind: report.EventDeviceUnplugged}))
	event.Trigger = report.TriggerEvent
	g.keep(p, event)
	g.pass(time.Minute)
	check("W3N-6GH", microphone(nil), passage(), voice(0), internet(), cable())
	return p, bad
}

func section(t *testing.T, body, id string) string {
	t.Helper()
	_, rest, found := strings.Cut(body, `<h2 id="`+id+`">`)
	if !found {
		t.Fatalf("there is no section %s in %s", id, body)
	}
	part, _, _ := strings.Cut(rest, "</section>")
	return part
}

func TestTheTimeAxisAndItsTable(t *testing.T) {
	g := newRig(t).login()
	p, bad := deskEvening(t, g)
	body := g.get("/participants/" + p.ID + "/reports/" + bad.ID).Body.String()
	part := section(t, body, "axis-title")
	table := plain(part)
	for _, want := range []string{"Prüfungen Bereit selbst gestartet", "Prüfungen Nicht bereit", "Netz Verbindung WLAN → Kabel", "Netz Verlust 9,5 %, Umlaufzeit 24,5 ms", "Pegel der Stimme Pegel -24,3 dBFS",
		"Abstürze, System Programm abgestürzt Zoom", "Geräte Gerät abgezogen", "Geräte Mikrofon stummgeschaltet", "Geräte Stummschaltung aufgehoben",
		"3 Prüfungen"} {
		if !strings.Contains(table, want) {
			t.Errorf("got no %q in %s", want, table)
		}
	}
	if strings.Count(table, "abgestürzt Zoom") != 1 || strings.Contains(table, "System abgestürzt") {
		t.Errorf("an event is a duplicate, or of another year: %s", table)
	}
	svg := part[strings.Index(part, "<svg class=\"axis\""):]
	svg = svg[:strings.Index(svg, "</svg>")+6]
	// The picture and the table have the same number of entries.
	if marks, rows := strings.Count(svg, "<use "), strings.Count(part, "<tr><th scope=\"row\">"); marks == 0 || marks != rows {
		t.Errorf("got %d marks, %d rows; want non-zero, %d", marks, rows, rows)
	}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("got error %v in %s", err, svg)
		}
	}
	for _, want := range []string{`role="img"`, "<title id=", "<desc id="} {
		if !strings.Contains(svg, want) {
			t.Errorf("the axis does not contain %s", want)
		}
	}
	g.lang = "en"
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "Time axis", "program crashed", "Microphone muted")
}

func TestThenAndNow(t *testing.T) {
	g := newRig(t).login()
	p, bad := deskEvening(t, g)
	table := plain(section(t, g.get("/participants/"+p.ID+"/reports/"+bad.ID).Body.String(), "compare-title"))
	for _, want := range []string{"Letzte gute Prüfung", "Dieser Fall", "Jetzt", "Im System stummgeschaltet Beleg nein ja nein", "Verlust zum Server 0 % 9,5 % 0 %"} {
		if !strings.Contains(table, want) {
			t.Errorf("got no %q in %s", want, table)
		}
	}
	alone := plain(section(t, g.get("/participants/"+p.ID+"/reports/"+bad.ID+"?alone=1").Body.String(), "compare-title"))
	if !strings.Contains(alone, "Letzte gute Prüfung") || !strings.Contains(alone, "Dieser Fall") || strings.Contains(alone, "Jetzt") {
		t.Errorf("an earlier check that was opened is called the present: %s", alone)
	}
	if strings.Contains(table, "WLAN-Signal -58 dBm -58 dBm") {
		t.Errorf("an unchanged value is shown: %s", table)
	}
	if strings.Contains(table, "Proxy") {
		t.Errorf("an unchanged value is shown: %s", table)
	}
	other, _ := g.checked("Nur eine Prüfung", "", "N1N-2N3", microphone(muted), passage(), voice(0))
	if body := g.get("/participants/" + other.ID).Body.String(); strings.Contains(body, "compare-title") {
		t.Error("a single check is compared")
	}
	part := plain(section(t, g.get("/participants/"+other.ID).Body.String(), "untested-title"))
	for _, want := range []string{"Verbindung ins Internet : nicht Teil dieser Prüfung", "Konferenz-Server der Sitzung : nicht Teil dieser Prüfung", "Mikrofon : Grundgeräusch"} {
		if !strings.Contains(part, want) {
			t.Errorf("got no %q in %s", want, part)
		}
	}
}

// TestAFullCaseIsShort: a page with everything that a case can contain has less than 100 kB.
func TestAFullCaseIsShort(t *testing.T) {
	g := newRig(t).login()
	p, agent := g.person("Erika", "")
	var last *report.Report
	for i := range 80 {
		probe := microphone(nil)
		if i%2 == 0 {
			probe = microphone(noisy)
		}
		var events []report.HostEvent
		for n := range 30 {
			events = append(events, report.HostEvent{At: g.clock().Add(-time.Duration(n) * time.Second), Kind: report.EventClientCrashed, Program: "Zoom", Detail: strings.Repeat("x", 60)})
		}
		last = newReport(t, agent, fmt.Sprintf("A1B-%03d", i), g.clock(), probe, passage(), router(), detours(), voice(float64(i%10)), internet(), wifi(), crashes(events...))
		g.keep(p, last)
		g.pass(5 * time.Minute)
	}
	action := "/participants/" + p.ID + "/reports/" + last.ID + "/case"
	for i := range 40 {
		g.post(action, "do", "note", "text", fmt.Sprintf("Notiz %03d ", i)+strings.Repeat("Lange Notiz. ", 37))
	}
	if all := g.get("/participants/" + p.ID + "?entries=all").Body.String(); !strings.Contains(all, "Notiz 000") || !strings.Contains(all, "Notiz 039") {
		t.Error("some notes are not shown")
	}
	body := g.get("/participants/" + p.ID).Body.String()
	if len(body) > 100_000 {
		sizes := ""
		for _, part := range strings.Split(body, "<section")[1:] {
			id, _, _ := strings.Cut(part, ">")
			sizes += fmt.Sprintf("\n%6d %s", len(part), id)
		}
		t.Errorf("got %d bytes, want at most 100,000:%s", len(body), sizes)
	}
	if strings.Contains(body, "Notiz 000") || !strings.Contains(body, "Notiz 039") || !strings.Contains(body, "entries=all#case") {
		t.Error("the page does not show the newest notes and a link to the others")
	}
	if !strings.Contains(body, "Gezeigt wird nur das, was dem Fall am nächsten ist") {
		t.Error("the page does not say that the axis is cut")
	}
}

var reCaseLine = regexp.MustCompile(`<path class="limit" d="M(-?\d+) 4V`)

// TestAnAxisContainsItsCase: the axis contains the case even if there are many events before and after it.
func TestAnAxisContainsItsCase(t *testing.T) {
	for _, c := range []struct{ before, after int }{{0, 80}, {80, 80}, {3, 80}, {80, 3}, {80, 0}, {2, 2}} {
		g := newRig(t).login()
		p, agent := g.person("Erika", "")
		check := func(code string, probe report.Result) *report.Report {
			r := newReport(t, agent, code, g.clock(), probe, passage(), voice(0), internet(), wifi())
			g.keep(p, r)
			g.pass(2 * time.Minute)
			return r
		}
		checks := func(n int) (last *report.Report) {
			for i := range n {
				last = check(fmt.Sprintf("A1B-%03d", i), microphone(nil))
			}
			return last
		}
		checks(c.before)
		bad := check("M2W-8RT", microphone(muted))
		at := store.CheckedAt(bad, bad.StartedAt)
		newest := bad
		if c.after > 0 {
			newest = checks(c.after)
		}
		for _, query := range []string{"", "?alone=1"} {
			part := section(t, g.get("/participants/"+p.ID+"/reports/"+bad.ID+query).Body.String(), "axis-title")
			m := reCaseLine.FindStringSubmatch(part)
			if m == nil {
				t.Fatalf("%+v: no line of the case in %s", c, part)
			}
			if x, err := strconv.Atoi(m[1]); err != nil || x < 150 || x > 980 {
				t.Errorf("%+v %s: the line of the case is at %s, %v", c, query, m[1], err)
			}
			table := plain(part)
			if !strings.Contains(table, "Prüfungen Nicht bereit") {
				t.Errorf("%+v %s: the axis does not contain its case: %s", c, query, table)
			}
			for what, want := range map[time.Duration]bool{-2 * time.Minute: c.before > 0, 2 * time.Minute: c.after > 0 && query == ""} {
				if got := strings.Contains(part, at.Add(what).Format(`datetime="2006-01-02T15:04:05Z"`)); got != want {
					t.Errorf("%+v %s: what was %s after the case is there: %v, want %v", c, query, what, got, want)
				}
			}
			if c.before+c.after < 10 && (strings.Contains(table, "Gezeigt wird nur das, was dem Fall am nächsten ist") || query == "" && !strings.Contains(part, store.CheckedAt(newest, newest.StartedAt).Format(`datetime="2006-01-02T15:04:05Z"`))) {
				t.Errorf("%+v: a short axis is cut", c)
			}
		}
	}
}

// TestOddTimesBreakNoAxis: the times in a report may be arbitrary.
func TestOddTimesBreakNoAxis(t *testing.T) {
	g := newRig(t).login()
	p, agent := g.person("Erika", "")
	for i, at := range []time.Time{{}, time.Unix(1<<40, 0), g.clock().Add(1000 * time.Hour), g.clock()} {
		r := newReport(t, agent, fmt.Sprintf("A1B-%03d", i), g.clock(), microphone(nil), crashes(report.HostEvent{At: at, Kind: "made up <b>", Program: "<script>"}, report.HostEvent{At: at, Kind: report.EventSleep}))
		r.StartedAt = at
		document, err := r.Encode()
		if err != nil {
			continue // rejected before it is stored
		}
		g.keepDocument(p, r, document)
		g.pass(time.Minute)
		g.want(g.get("/participants/"+p.ID), http.StatusOK)
	}
}
