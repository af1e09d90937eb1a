package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func searched(text string) string { return "/?" + url.Values{"q": {text}}.Encode() }

func TestASpokenCodeOpensItsCase(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Frieda Fall", "", "K7P-3QX", microphone(muted), passage(), voice(0), internet())
	for _, typed := range []string{"K wie Kaufmann, sieben, P wie Paula, drei, Q wie Quelle, X wie Xanthippe", "köln 7 potsdam 3 quickborn xanten",
		"K for Kilo, seven, papa, three, Quebec, x-ray", "Fall-Code k7p 3qx"} {
		g.wantRedirect(g.get(searched(typed)), "/participants/"+p.ID+"/reports/"+r.ID)
	}
	// A part of a code that was spelled finds it as well, and Enter opens the only hit.
	w := g.get(searched("K wie Konrad sieben Potsdam"))
	g.want(w, http.StatusOK, `<a class="whole" href="/participants/`+p.ID+`" autofocus>`)
}

// TestAnAmbiguousCodeIsAChoice: the wrong case would be read out to the caller.
func TestAnAmbiguousCodeIsAChoice(t *testing.T) {
	g := newRig(t).login()
	paula, r := g.checked("Paula Eins", "", "P77-777", microphone(muted), passage(), voice(0), internet())
	w := g.get(searched("B wie Paula, 7 7 7 7 7"))
	g.want(w, http.StatusOK, "Welcher Fall-Code ist gemeint?", "B77-777", "Zu diesem Code gibt es keine Prüfung", "P77-777", `href="/participants/`+paula.ID+"/reports/"+r.ID+`"`)
	if got := names(w.Body.String()); !slices.Equal(got, []string{"Paula Eins"}) {
		t.Errorf("list %q", got)
	}
	if strings.Contains(w.Body.String(), "autofocus") {
		t.Error("Enter opens a guess")
	}
	// Two people with one code.
	g.checked("Berta Zwei", "", "P77-777", microphone(nil), passage(), voice(0), internet())
	w = g.get(searched("P77-777"))
	g.want(w, http.StatusOK, "Welcher Fall-Code ist gemeint?")
	for _, name := range []string{"Paula Eins", "Berta Zwei"} {
		if !strings.Contains(w.Body.String(), `"><bdi>`+name+`</bdi></a> <span class="soft">`) {
			t.Errorf("%s is no choice", name)
		}
	}
	// Codes without any check leave the list alone.
	if w := g.get(searched("K 7 P 3 U X")); strings.Count(w.Body.String(), "Zu diesem Code gibt es keine Prüfung") != 2 {
		t.Error("two readings without a check are not both shown")
	}
	if w := g.get(searched("ZZZ-ZZZ")); strings.Contains(w.Body.String(), "choices-title") {
		t.Error("a choice of nothing")
	}
	for _, text := range hostile {
		g.want(g.get(searched("B wie Paula 7 7 7 7 7 "+text[:min(len(text), 2000)])), http.StatusOK)
	}
}
