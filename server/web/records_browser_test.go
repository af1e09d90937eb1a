package web_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/server/live"
)

// reMediaBox matches the size of a sheet in a PDF file, in points.
var reMediaBox = regexp.MustCompile(`/MediaBox \[0 0 (\d\d)\d[\d.]* (\d\d)\d[\d.]*\]`)

// TestCasesAndRecordsInTheBrowser uses the list of cases and the record by keyboard, in both
// schemes, at 200 % and 400 % zoom, and prints the record.
func TestCasesAndRecordsInTheBrowser(t *testing.T) {
	b := openBrowser(t, "de")
	g := newRig(t, withRules("nw"))
	s := httptest.NewServer(g.handler)
	t.Cleanup(s.Close)
	t.Cleanup(g.live.Close) // ends the event streams
	anna, _ := g.checked("Anna Amsel", "0228 5550100", "M2W-8RT", microphone(muted), passage(), voice(0), internet())
	berta, _ := g.checked("Berta Buchfink", "0228 5550101", "K7P-3QX", microphone(nil), passage(), voice(0), internet())
	cäsar, _ := g.person("Cäsar Chamäleon-Mustermann", "")
	session := g.inSession(anna, berta, cäsar)
	record := s.URL + "/sessions/" + session.ID + "/disturbances"

	b.do(b.width(1280), chromedp.Navigate(s.URL+"/cases"), chromedp.WaitVisible(chromedp.CSS("#password")))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), staffName), chromedp.SendKeys(chromedp.CSS("#password"), staffPassword+"\r"), chromedp.WaitVisible(chromedp.CSS(".desk")))
	b.waitFor(`!document.getElementById("pulse").hidden`)
	b.do(b.run(`window.sameDocument = true`))
	dora, _ := g.checked("Dora Dohle", "0228 5550102", "A1B-2C3", microphone(muted), passage(), voice(0), internet())
	b.waitFor(`window.sameDocument && document.getElementById("c-` + dora.ID + `") !== null`) // live
	b.do(chromedp.Focus(chromedp.CSS("#c-"+anna.ID+" a.whole")), chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#case button.strong")))
	b.do(chromedp.Focus(chromedp.CSS("#case button.strong")), chromedp.KeyEvent("\r"))
	b.waitFor(`document.getElementById("case").innerText.includes("Übernommen")`)
	b.do(chromedp.Focus(chromedp.CSS(".report-now button")), chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#disturbance-1")))
	b.waitFor(`!document.getElementById("pulse").hidden`)
	b.do(b.run(`window.sameDocument = true`))
	if err := g.store.DeleteParticipant(t.Context(), cäsar.ID, g.clock()); err != nil {
		t.Fatal(err)
	}
	g.live.Publish(live.Event{Kind: live.ParticipantChanged, ParticipantID: cäsar.ID, At: g.clock()})
	b.waitFor(`window.sameDocument && document.getElementById("live").innerText.includes("Angaben zu gelöschten Personen: 1.")`)
	b.do(chromedp.Focus(chromedp.CSS("#disturbance-1 button.strong")), chromedp.KeyEvent("\r"))
	b.waitFor(`document.getElementById("disturbance-1").innerText.includes("bis")`)

	for name, address := range map[string]string{"cases": s.URL + "/cases", "record": record, "records": s.URL + "/disturbances", "rollcall": s.URL + "/sessions/" + session.ID} {
		b.do(b.width(1280), chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("h1")))
		for _, dark := range []bool{false, true} {
			b.do(b.dark(dark))
			if faint := get(b, chromedp.Evaluate[[]string](faintText)); len(faint) > 0 {
				t.Errorf("%s, dark %v: %q", name, dark, faint)
			}
			if dark {
				b.shoot(name + "-dark-de")
			} else {
				b.shoot(name + "-de")
			}
		}
		b.do(b.dark(false))
		for _, px := range []int64{640, 320} { // 1280 at 200 % and 400 %
			b.do(b.width(px))
			if over := b.overflow(); over > 0 {
				t.Errorf("%s is %d pixels too wide for %d", name, over, px)
			}
			if small := b.tooSmall(); len(small) > 0 {
				t.Errorf("%s at %d: targets under 24 pixels: %q", name, px, small)
			}
		}
		b.shoot(name + "-narrow-de")
	}
	b.do(b.width(1280), chromedp.Navigate(record), chromedp.WaitVisible(chromedp.CSS("#disturbance-1")))
	b.do(step(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}))
	b.waitFor(`[...document.querySelectorAll("form, nav, .unprinted")].every((e) => e.offsetParent === null)`)
	var paper cdpage.PrintToPDFResult
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
		paper, err = cdp.Call(ctx, target, cdpage.PrintToPDF, cdpage.PrintToPDFParams{PreferCSSPageSize: new(true)})
		return err
	}))
	if size := reMediaBox.FindSubmatch(paper.Data); size == nil || string(size[1]) != "59" || string(size[2]) != "84" {
		t.Errorf("the paper has the size %q, want that of A4 (595 by 842 points)", size)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "record.pdf"), paper.Data, 0o600); err != nil {
		t.Fatal(err)
	}
	b.quiet()
}
