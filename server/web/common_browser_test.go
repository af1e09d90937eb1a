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

// TestCommonCauseAppears opens the list, lets a common cause appear and vanish without a
// reload, and draws it on a phone and in both schemes.
func TestCommonCauseAppears(t *testing.T) {
	b := openBrowser(t, "de")
	var now atomic.Pointer[[]fleet.Finding]
	now.Store(new([]fleet.Finding))
	g := newRig(t, func(c *web.Config) { c.Common = func() []fleet.Finding { return *now.Load() } })
	s := httptest.NewServer(g.handler)
	t.Cleanup(s.Close)
	t.Cleanup(g.live.Close) // ends the event streams
	p, _ := g.checked("Anna Amsel", "0228 5550100", "M2W-001", microphone(nil), passage(), voice(0), internet())
	b.do(b.width(1280), chromedp.Navigate(s.URL+"/"), chromedp.WaitVisible(chromedp.CSS("#password")))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), staffName), chromedp.SendKeys(chromedp.CSS("#password"), staffPassword+"\r"), chromedp.WaitVisible(chromedp.CSS("#q")))
	b.waitFor(`document.querySelector("#common").hidden`)
	show := func(findings ...fleet.Finding) {
		now.Store(&findings)
		g.live.Publish(live.Event{Kind: live.CommonChanged, At: g.clock()})
	}
	show(fleet.Finding{Code: fleet.CodeProvider, Key: "AS64500 Verbandsgemeindenetz Musterhausen GmbH", Affected: []string{p.ID, "x", "y", "z"}, Members: 5,
		ElsewhereMembers: 40, ElsewhereAffected: 1, UsualPct: 6, From: g.clock().Add(-12 * time.Minute), To: g.clock()},
		fleet.Finding{Code: fleet.CodeServer, Key: fleet.Own, Affected: []string{"x", "y", "z"}, Members: 44, UsualPct: 4, From: g.clock().Add(-6 * time.Minute), To: g.clock()})
	b.waitFor(`document.querySelectorAll("#common .card").length === 2`)
	for _, address := range []string{"/", "/participants/" + p.ID} {
		b.do(chromedp.Navigate(s.URL+address), chromedp.WaitVisible(chromedp.CSS("#common .card")))
		for _, dark := range []bool{false, true} {
			b.do(b.width(1280), b.dark(dark))
			if faint := get(b, chromedp.Evaluate[[]string](faintText)); len(faint) > 0 {
				t.Errorf("%s, dark %v: %q", address, dark, faint)
			}
			b.shoot(fmt.Sprintf("common-%d-dark-%v", len(address), dark))
		}
		b.do(b.dark(false), b.width(320))
		if over := b.overflow(); over > 0 {
			t.Errorf("%s is %d pixels too wide for 320", address, over)
		}
		b.shoot(fmt.Sprintf("common-%d-320", len(address)))
	}
	show()
	b.waitFor(`document.querySelector("#common").hidden`)
	b.quiet()
}
