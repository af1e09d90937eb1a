package web_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	browserprogram "github.com/tonprobe/tonprobe/server/web/browser"
)

// TestSetupOnTablet: whoever scans the code of a letter with a tablet gets to the check with one tap. On a
// computer, the program comes first.
func TestSetupOnTablet(t *testing.T) {
	if _, ok, err := browserprogram.Load(); !ok || err != nil {
		need.Lack(t, "go generate ./server/web/browser", err)
	}
	c := startCollector(t)
	b := openBrowser(t, "de")
	const firstHeading = `[...document.querySelectorAll("main h2")].find((h) => h.offsetParent).textContent`
	b.do(chromedp.Navigate(c.URL()+"/setup#K7P3-QX9A-2M4B"), chromedp.WaitVisible(chromedp.CSS("#check-link")))
	if got := get(b, chromedp.Evaluate[string](firstHeading)); got != "1. Programm installieren" {
		t.Errorf("on a computer: got %q first, want the program", got)
	}
	const iPad = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"
	b.do(b.width(820), step(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: iPad, AcceptLanguage: "de"}),
		step(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 5}))
	b.do(chromedp.Navigate(c.URL()+"/setup?#K7P3-QX9A-2M4B"), chromedp.WaitVisible(chromedp.CSS("#in-browser.first")))
	if got := get(b, chromedp.Evaluate[string](firstHeading)); got != "Ohne Programm" {
		t.Errorf("on a tablet: got %q first, want the check without a program", got)
	}
	b.shoot("setup-tablet-de")
	b.do(b.dark(true), b.width(390))
	b.shoot("setup-phone-dark-de")
	if over := b.overflow(); over > 0 {
		t.Errorf("the page is %d pixels too wide", over)
	}
	b.do(chromedp.Click(chromedp.CSS("#check-link")), chromedp.WaitVisible(chromedp.CSS("#check-form button")))
	if hidden := get(b, chromedp.Evaluate[bool](`document.getElementById("check-code-part").hidden`)); !hidden {
		t.Error("the check asks for the code again")
	}
	b.quiet()
}
