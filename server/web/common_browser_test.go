package web_test

import (
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/web"
)

// commonPages are the pages that show a common cause, in a browser that is signed in.
type commonPages struct {
	*browser
	addresses map[string]string // by name
	findings  []fleet.Finding
	show      func(...fleet.Finding) // changes what there is
}

func openCommonPages(t *testing.T) commonPages {
	t.Helper()
	b := openBrowser(t, "de")
	var now atomic.Pointer[[]fleet.Finding]
	now.Store(new([]fleet.Finding))
	g := newRig(t, func(c *web.Config) { c.Common = func() []fleet.Finding { return *now.Load() } })
	s := httptest.NewServer(g.handler)
	t.Cleanup(s.Close)
	t.Cleanup(g.live.Close) // ends the event streams
	p, _ := g.checked("Anna Amsel", "0228 5550100", "M2W-001", microphone(nil), passage(), voice(9.5), internet())
	session := s.URL + "/sessions/" + g.inSession(p).ID
	b.do(b.width(1280), chromedp.Navigate(s.URL+"/"), chromedp.WaitVisible(chromedp.CSS("#password")))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), staffName), chromedp.SendKeys(chromedp.CSS("#password"), staffPassword+"\r"), chromedp.WaitVisible(chromedp.CSS("#q")))
	return commonPages{browser: b,
		addresses: map[string]string{"list": s.URL + "/", "person": s.URL + "/participants/" + p.ID, "rollcall": session, "projector": session + "?projector=1"},
		findings: []fleet.Finding{
			{Code: fleet.CodeProvider, Key: "AS64500 Verbandsgemeindenetz Musterhausen GmbH", Affected: []string{p.ID, "x", "y", "z"}, Members: 5,
				ElsewhereMembers: 40, ElsewhereAffected: 1, UsualPct: 6, From: g.clock().Add(-12 * time.Minute), To: g.clock()},
			{Code: fleet.CodeServer, Key: fleet.Own, Affected: []string{"x", "y", "z", p.ID}, Members: 44, UsualPct: 4, From: g.clock().Add(-6 * time.Minute), To: g.clock()}},
		show: func(findings ...fleet.Finding) {
			now.Store(&findings)
			g.live.Publish(live.Event{Kind: live.CommonChanged, At: g.clock()})
		}}
}

// TestCommonCauseAppears opens the pages, lets common causes appear and vanish without a reload, and draws them on a
// phone and in both schemes.
func TestCommonCauseAppears(t *testing.T) {
	b := openCommonPages(t)
	for name, address := range b.addresses {
		b.do(b.width(1280), chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("h1")))
		b.waitFor(`document.querySelector("#common").hidden && !document.querySelector("#pulse").hidden`)
		b.show(b.findings...)
		b.waitFor(`document.querySelectorAll("#common .card").length === 2`)
		if explained := get(b.browser, chromedp.Evaluate[bool](`!!document.querySelector("#answer .persists")`)); explained != (name == "person") {
			t.Errorf("%s: got the individual advice after the common cause %v, want it on the page of the person only", name, explained)
		}
		for _, dark := range []bool{false, true} {
			b.do(b.width(1280), b.dark(dark))
			if faint := get(b.browser, chromedp.Evaluate[[]string](faintText)); len(faint) > 0 {
				t.Errorf("%s, dark %v: %q", name, dark, faint)
			}
			b.shoot(fmt.Sprintf("common-%s-dark-%v", name, dark))
		}
		b.do(b.dark(false), b.width(320))
		if over := b.overflow(); over > 0 {
			t.Errorf("%s is %d pixels too wide for 320", name, over)
		}
		b.shoot("common-" + name + "-320")
		b.show()
		b.waitFor(`document.querySelector("#common").hidden && !document.querySelector(".persists")`)
	}
	b.quiet()
}

// TestAxeFindsNothingAboutACommonCause is TestAxeFindsNothing while there are common causes.
func TestAxeFindsNothingAboutACommonCause(t *testing.T) {
	axe := axeSource(t)
	b := openCommonPages(t)
	b.show(b.findings...)
	for _, address := range b.addresses {
		b.checkAxe(axe, address)
	}
	b.quiet()
}
