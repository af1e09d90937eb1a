package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestFromTheSpokenCodeToTheClosedCase uses only the keyboard. A note that is being typed is kept
// during a new check.
func TestFromTheSpokenCodeToTheClosedCase(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	erika := council(c)
	b.login(c)
	for _, page := range []string{"/", "/sessions", "/participants/" + erika.Participant, "/causes"} {
		b.do(chromedp.Navigate(c.URL()+page), chromedp.WaitVisible(chromedp.CSS("#q")), chromedp.KeyEvent("/"))
		b.waitFor(`document.activeElement.id === "q"`)
	}
	b.do(chromedp.KeyEvent("M wie Martha, zwo, Wilhelm, acht, R wie Richard, T\r"))
	b.waitFor(`document.getElementById("case")?.innerText.includes("M2W-8RT")`)
	b.waitFor(`!document.getElementById("pulse").hidden`)
	b.do(chromedp.Focus(chromedp.CSS("#case button.strong")), chromedp.KeyEvent("\r"))
	b.waitFor(`document.getElementById("case").innerText.includes("Übernommen") && location.hash === "#case"`)
	b.waitFor(`!document.getElementById("pulse").hidden`)
	b.shoot("case-taken-de")
	b.do(b.run(`window.sameDocument = true`), chromedp.Focus(chromedp.CSS("#case-note")), chromedp.KeyEvent("ruft in 5 Min"))
	erika.send("W3N-6GH", 0, microphone(nil), passage(), voice(0), internet())
	b.waitFor(`window.sameDocument && document.getElementById("answer").innerText.includes("W3N-6GH")`)
	b.waitFor(`document.activeElement.id === "case-note" && document.activeElement.value === "ruft in 5 Min"`)
	b.do(chromedp.KeyEvent("uten zurück\r"))
	b.waitFor(`document.querySelector("#case .entries")?.innerText.includes("ruft in 5 Minuten zurück")`)
	b.do(chromedp.Focus(chromedp.CSS("#case-close summary")), chromedp.KeyEvent("\r"))
	b.shoot("case-close-de")
	b.do(b.run(`document.getElementById("case-cause").value = "audio.in_use"`), chromedp.Focus(chromedp.CSS("#case-close button")), chromedp.KeyEvent("\r"))
	b.waitFor(`document.getElementById("case").innerText.includes("Geschlossen")`)
	b.shoot("case-closed-de")
	b.do(chromedp.Navigate(c.URL()+"/causes"), chromedp.WaitVisible(chromedp.CSS(".truth")))
	b.shoot("causes-de")
	b.do(chromedp.Navigate(c.URL()+"/?q=B+wie+Martha+2+W+8+R+T"), chromedp.WaitVisible(chromedp.CSS(".choices")))
	b.shoot("choices-de")
	// A list that was searched for a code remains a list when the check arrives.
	b.do(chromedp.Navigate(c.URL()+"/?q=N1N-2N3"), chromedp.WaitVisible(chromedp.CSS(".empty")))
	b.waitFor(`!document.getElementById("pulse").hidden`)
	erika.send("N1N-2N3", 0, microphone(nil), passage(), voice(0), internet())
	b.waitFor(`location.pathname === "/" && document.querySelector(".choices")?.innerText.includes("N1N-2N3")`)
	for _, px := range []int64{360, 640, 320} {
		for _, page := range []string{"/causes", "/?q=B+wie+Martha+2+W+8+R+T"} {
			b.do(b.width(px), chromedp.Navigate(c.URL()+page), chromedp.WaitVisible(chromedp.CSS("main")))
			if over := b.overflow(); over > 0 {
				t.Errorf("%s is %d pixels too wide for %d", page, over, px)
			}
			if small := b.tooSmall(); len(small) > 0 {
				t.Errorf("%s at %d: targets under 24 pixels: %q", page, px, small)
			}
		}
	}
	b.quiet()
}
