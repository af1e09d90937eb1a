package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// openMine opens the page about the participant of an agent by the link that the agent prints.
func (b *browser) openMine(from agent) {
	b.t.Helper()
	var got wire.OwnPageCode
	from.c.post("/"+wire.PathOwnPage, from.Token, nil, http.StatusCreated, &got)
	b.do(chromedp.Navigate(from.c.URL()+wire.OwnPagePath+"#"+got.Code), chromedp.WaitVisible(chromedp.CSS("#code")))
	b.waitFor(`document.activeElement.tagName === "BUTTON" && location.hash === "" && document.getElementById("code").value !== ""`)
	b.do(chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#who-title")))
}

// TestOwnPageByKeyboard opens the page from the link with one key, and looks at it on a phone, enlarged and
// in the dark.
func TestOwnPageByKeyboard(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	erika := council(c)
	b.do(chromedp.Navigate(c.URL()+wire.OwnPagePath), chromedp.WaitVisible(chromedp.CSS("#code")))
	b.shoot("mine-code-de")
	b.openMine(erika)
	page := b.text("main")
	for _, want := range []string{"Erika Beispiel", "M2W-8RT", "Sie selbst", "stummgeschaltet"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not contain %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "Brückner") {
		t.Error("the page names somebody else")
	}
	b.shoot("mine-de")
	for _, dark := range []bool{false, true} {
		b.do(b.dark(dark))
		if faint := get(b, chromedp.Evaluate[[]string](faintText)); len(faint) > 0 {
			t.Errorf("dark %v: %q", dark, faint)
		}
	}
	b.shoot("mine-dark")
	b.do(b.dark(false))
	for _, px := range []int64{360, 640, 320} {
		b.do(b.width(px))
		if over := b.overflow(); over > 0 {
			t.Errorf("%d pixels too wide for %d", over, px)
		}
		if small := b.tooSmall(); len(small) > 0 {
			t.Errorf("at %d: targets under 24 pixels: %q", px, small)
		}
		if px == 360 {
			b.shoot("mine-narrow-de")
		}
	}
	b.quiet()
}
