package web_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/server/auth/oidc"
)

// axeVariable names the file axe.min.js of axe-core. .ci/test downloads it.
const axeVariable = "TONPROBE_TEST_AXE"

// axeSource returns the source of axe-core.
func axeSource(t *testing.T) string {
	t.Helper()
	need.Full(t, "axe-core")
	file := os.Getenv(axeVariable)
	if file == "" {
		need.Lack(t, "the file axe.min.js", errors.New(axeVariable+" is not set"))
	}
	axe, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(axe)
}

// checkAxe checks a page with axe-core: light at the width of a desktop, dark at that of a phone.
func (b *browser) checkAxe(axe, address string) {
	b.t.Helper()
	for _, at := range []struct {
		width int64
		dark  bool
	}{{1280, false}, {360, true}} {
		b.do(b.width(at.width), b.dark(at.dark), chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("h1")))
		b.do(b.run(`document.querySelectorAll("details").forEach((e) => e.open = true)`))
		b.do(b.run(axe + "; 0"))
		for _, found := range get(b, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise)) {
			b.t.Errorf("%s at %d pixels, dark %v: %s", address, at.width, at.dark, found)
		}
	}
}

// TestAxeFindsNothing checks each page of the dashboard against the rules of WCAG 2.1, levels A and AA.
func TestAxeFindsNothing(t *testing.T) {
	axe := axeSource(t)
	b := openBrowser(t, "de")
	c := startCollector(t)
	erika := council(c)
	check := func(address string) {
		t.Helper()
		b.checkAxe(axe, address)
	}
	check(c.URL() + "/login")
	withButton := httptest.NewServer(withProvider(t, oidc.Config{Issuer: "http://127.0.0.1:1/", Label: "Stadt-Konto"}, false).handler)
	t.Cleanup(withButton.Close)
	check(withButton.URL + "/login")
	if text := get(b, chromedp.Evaluate[string](`document.querySelector("main .button").textContent`)); text != "Mit Stadt-Konto anmelden" {
		t.Errorf("got button %q, want that of the provider", text)
	}
	b.do(b.width(1280), b.dark(false))
	b.login(c)
	b.do(b.run(`document.cookie = "tonprobe_challenge=x; path=/"`)) // for /login/code
	for _, address := range staffPages(erika) {
		check(c.URL() + address)
		if shown, wanted := get(b, chromedp.Evaluate[string](`location.pathname`)), regexp.MustCompile(`[?#].*`).ReplaceAllString(address, ""); shown != wanted {
			t.Errorf("%s leads to %s", address, shown)
		}
	}
	b.openMine(erika)
	check(c.URL() + "/mine")
	b.expect("404")
	b.expect("422")
	b.quiet()

	b.do(b.run(`document.querySelector("main").insertAdjacentHTML("beforeend", "<input id=unnamed>")`))
	if found := get(b, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise)); len(found) != 1 || !strings.HasPrefix(found[0], "label #unnamed") {
		t.Errorf("got %q for an input without a label, want one complaint about the label of #unnamed", found)
	}
}

// axeRun lists each rule with the element that violates it.
const axeRun = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], resultTypes: ["violations"]}).then(
	(r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + " " + n.target.join(" ") + ": " + n.failureSummary)))`
