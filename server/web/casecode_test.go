package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

func searched(text string) string { return "/?" + url.Values{"q": {text}}.Encode() }

func TestASpokenCodeOpensItsCase(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Frieda Fall", "", "K7P-3QX", microphone(muted), passage(), voice(0), internet())
	for _, typed := range []string{"K wie Kaufmann, sieben, P wie Paula, drei, Q wie Quelle, X wie Xanthippe", "köln 7 potsdam 3 quickborn xanten",
		"K for Kilo, seven, papa, three, Quebec, x-ray", "Fall-Code k7p 3qx"} {
		g.wantRedirect(g.get(searched(typed)), "/participants/"+p.ID+"/reports/"+r.ID)
	}
	// A spelled part of a code finds it as well, and Enter opens the only hit.
	w := g.get(searched("K wie Konrad sieben Potsdam"))
	g.want(w, http.StatusOK, `<a class="whole" href="/participants/`+p.ID+`" autofocus>`)
}

// TestAnAmbiguousCodeIsAChoice: the page must not select one of several checks, because support would
// read the wrong case out to the caller.
func TestAnAmbiguousCodeIsAChoice(t *testing.T) {
	g := newRig(t).login()
	paula, r := g.checked("Paula Eins", "", "P77-777", microphone(muted), passage(), voice(0), internet())
	w := g.get(searched("B wie Paula, 7 7 7 7 7"))
	g.want(w, http.StatusOK, "Ist dieser Fall gemeint?", "P77-777", `href="/participants/`+paula.ID+"/reports/"+r.ID+`"`)
	if strings.Contains(w.Body.String(), "B77-777") || strings.Contains(w.Body.String(), "Zu diesem Code gibt es keine Prüfung") {
		t.Error("a code without a check is offered beside one with a check")
	}
	if got := names(w.Body.String()); !slices.Equal(got, []string{"Paula Eins"}) {
		t.Errorf("got list %q, want [\"Paula Eins\"]", got)
	}
	if strings.Contains(w.Body.String(), "autofocus") {
		t.Error("Enter opens one of several hits")
	}
	// Two people whose checks have the same code.
	g.checked("Berta Zwei", "", "P77-777", microphone(nil), passage(), voice(0), internet())
	w = g.get(searched("P77-777"))
	g.want(w, http.StatusOK, "Welcher Fall-Code ist gemeint?")
	for _, name := range []string{"Paula Eins", "Berta Zwei"} {
		if !strings.Contains(w.Body.String(), `"><bdi>`+name+`</bdi></a> <span class="soft">`) {
			t.Errorf("%s is not offered", name)
		}
	}
	// Codes without any check do not change the list.
	if w := g.get(searched("K 7 P 3 U X")); strings.Count(w.Body.String(), "Zu diesem Code gibt es keine Prüfung") != 2 {
		t.Error("two possible codes without a check are not both shown")
	}
	if w := g.get(searched("ZZZ-ZZZ")); strings.Contains(w.Body.String(), "choices-title") {
		t.Error("got an empty choice")
	}
	for _, text := range hostile {
		g.want(g.get(searched("B wie Paula 7 7 7 7 7 "+text[:min(len(text), 2000)])), http.StatusOK)
	}
}

// TestANameThatReadsAsACode: "Peter Meyer" reads as PME-YER. The check with that code is listed beside
// the people of that name, never opened.
func TestANameThatReadsAsACode(t *testing.T) {
	g := newRig(t).login()
	stranger, r := g.checked("Xaver Fremd", "", "PME-YER", microphone(muted), passage(), voice(0), internet())
	address := "/participants/" + stranger.ID + "/reports/" + r.ID
	g.wantRedirect(g.get(searched("Peter Meyer")), address) // nobody has this name
	g.person("Peter Meier", "")
	for _, typed := range []string{"Peter Meyer", "peter meyer"} {
		w := g.get(searched(typed))
		g.want(w, http.StatusOK, "Ist dieser Fall gemeint?", `href="`+address+`"`)
	}
	g.person("Dr. Meyer, Peter", "")
	w := g.get(searched("Peter Meyer"))
	g.want(w, http.StatusOK, "Ist dieser Fall gemeint?", `href="`+address+`"`)
	if got := names(w.Body.String()); !slices.Contains(got, "Dr. Meyer, Peter") {
		t.Errorf("list %q, want Dr. Meyer, Peter in it", got)
	}
	for _, typed := range []string{"P M E Y E R", "PME-YER", "P wie Paula, M, E, Y, E, R"} {
		g.wantRedirect(g.get(searched(typed)), address)
	}
}

// TestAnOpenListDoesNotJump: a check arrives with the code that a list was searched for.
func TestAnOpenListDoesNotJump(t *testing.T) {
	g := newRig(t).login()
	search := searched("PME-YER")
	revision := reRevision.FindStringSubmatch(g.get(search).Body.String())[1]
	p, r := g.checked("Xaver Fremd", "", "PME-YER", microphone(muted), passage(), voice(0), internet())
	address := "/participants/" + p.ID + "/reports/" + r.ID
	g.want(g.get("/changes"+search[1:]+"&since="+revision), http.StatusOK, `{"whole":true}`)
	again := g.get(search + "&open=1") // as live.js does
	g.want(again, http.StatusOK, "Ist dieser Fall gemeint?", `href="`+address+`"`)
	revision = reRevision.FindStringSubmatch(again.Body.String())[1]
	if w := g.get("/changes" + search[1:] + "&since=" + revision); w.Code != http.StatusOK || strings.Contains(w.Body.String(), `"whole":true`) {
		t.Errorf("the open list loads itself again for ever: %d %s", w.Code, w.Body)
	}
	g.wantRedirect(g.get(search), address) // a new search opens it
}

// TestCodesThatAreNotReadOut: the codes of scheduled checks and of events are never on a screen, so
// other checks with the same code are first.
func TestCodesThatAreNotReadOut(t *testing.T) {
	g := newRig(t).login()
	read, first := g.checked("Vera Vorn", "", "K7P-3QX", microphone(nil), passage(), voice(0), internet())
	for _, trigger := range []report.Trigger{report.TriggerSchedule, report.TriggerEvent} {
		g.pass(time.Minute)
		later := newReport(t, first.Agent.ID, "K7P-3QX", g.clock(), passage(), voice(0), internet())
		later.Trigger = trigger
		g.keep(read, later)
		g.wantRedirect(g.get(searched("K7P-3QX")), "/participants/"+read.ID+"/reports/"+first.ID)
	}
	g.pass(time.Minute)
	other, agent := g.person("Hans Hinten", "")
	event := newReport(t, agent, "K7P-3QX", g.clock(), passage(), voice(0), internet())
	event.Trigger = report.TriggerEvent
	g.keep(other, event)
	body := g.get(searched("K7P-3QX")).Body.String()
	front, back := strings.Index(body, "/participants/"+read.ID+"/reports/"+first.ID), strings.Index(body, "/participants/"+other.ID+"/reports/"+event.ID)
	if front < 0 || back < front {
		t.Errorf("the check that was read out is at %d, the event at %d", front, back)
	}
}

// TestChoicesWithACheckAreNotCut: many codes without a check do not hide the one with a check.
func TestChoicesWithACheckAreNotCut(t *testing.T) {
	g := newRig(t).login()
	typed := "B wie Paula, B wie Paula, B wie Paula, B wie Paula, B wie Paula, 7" // 32 codes
	g.checked("Paula Letzte", "", "PPP-PP7", microphone(muted), passage(), voice(0), internet())
	body := g.get(searched(typed)).Body.String()
	if !strings.Contains(body, "PPP-PP7") || !strings.Contains(body, "Ist dieser Fall gemeint?") || strings.Contains(body, "Zu diesem Code gibt es keine Prüfung") {
		t.Errorf("the case is not offered alone: %s", body)
	}
}
