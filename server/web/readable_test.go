package web_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/server/web"
)

// TestTextIsReadable measures the contrast of all text on the pages as the browser draws it (WCAG 2.1,
// 1.4.3), in both schemes. TestContrast covers only the colours in the style sheet, not those that the
// browser chooses, such as the colour of a placeholder.
func TestTextIsReadable(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	erika := council(c)
	b.login(c)
	for _, address := range staffPages(erika) {
		for _, dark := range []bool{false, true} {
			b.do(b.dark(dark), chromedp.Navigate(c.URL()+address), chromedp.WaitVisible(chromedp.CSS("h1")))
			if faint := get(b, chromedp.Evaluate[[]string](faintText)); len(faint) > 0 {
				t.Errorf("%s, dark %v: %q", address, dark, faint)
			}
		}
	}
	b.expect("404")
	b.expect("422")
	b.quiet()
}

// faintText lists the texts whose contrast is too low. An element without a background has that of
// the closest one around it; no background of these pages is translucent.
const faintText = `(() => {
	const parts = (css) => css.match(/[\d.]+/g).map(Number);
	const luminance = (css) => parts(css).slice(0, 3).map((v) => v / 255)
		.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const opaque = (css) => parts(css).length < 4 || parts(css)[3] === 1;
	const ground = (e) => {
		for (; e; e = e.parentElement) {
			const css = getComputedStyle(e).backgroundColor;
			if (opaque(css)) return css;
		}
		return "rgb(255, 255, 255)";
	};
	const faint = [];
	const check = (what, style, e) => {
		const [a, b] = [luminance(style.color), luminance(ground(e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		const size = parseFloat(style.fontSize);
		const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
		if (ratio < (large ? 3 : 4.5)) faint.push(what + " " + ratio.toFixed(2) + ":1 " + style.color + " on " + ground(e));
	};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const e = texts.currentNode.parentElement;
		const what = texts.currentNode.textContent.trim();
		if (what && e.getClientRects().length > 0 && !e.closest(".hidden, script, noscript")) check(what, getComputedStyle(e), e);
	}
	for (const e of document.querySelectorAll("input")) {
		if (e.placeholder) check(e.placeholder, getComputedStyle(e, "::placeholder"), e);
	}
	return faint;
})()`

// TestWarningAndCodeOnAPhone covers the pages that are shown only after a form: the warning of a duplicate,
// and the code with its long link.
func TestWarningAndCodeOnAPhone(t *testing.T) {
	b := openBrowser(t, "de")
	g := newRig(t, func(c *web.Config) {
		c.PublicOrigin, c.AuthorityPin = "https://tonprobe.verbandsgemeinde-musterhausen.example:8443", func() string { return strings.Repeat("A", 43) }
	})
	s := httptest.NewServer(g.handler)
	t.Cleanup(s.Close)
	t.Cleanup(g.live.Close) // ends the event streams
	g.person("Dr. Hans-Joachim von der Heydebrand-Schönefeld", "0228 5550104")
	check := func(name string) {
		t.Helper()
		for _, px := range []int64{320, 640} {
			b.do(b.width(px))
			if over := b.overflow(); over > 0 {
				t.Errorf("%s is %d pixels too wide for %d", name, over, px)
			}
			if small := b.tooSmall(); len(small) > 0 {
				t.Errorf("%s at %d: targets under 24 pixels: %q", name, px, small)
			}
			if faint := get(b, chromedp.Evaluate[[]string](faintText)); len(faint) > 0 {
				t.Errorf("%s: %q", name, faint)
			}
			if px == 320 {
				b.shoot(name)
			}
		}
	}
	b.do(chromedp.Navigate(s.URL+"/login"), chromedp.WaitVisible(chromedp.CSS("#password")))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), staffName), chromedp.SendKeys(chromedp.CSS("#password"), staffPassword+"\r"), chromedp.WaitVisible(chromedp.CSS("#q")))
	b.do(chromedp.Navigate(s.URL+"/participants/new"), chromedp.WaitVisible(chromedp.CSS("#phone")))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "Hans Neu"), chromedp.SendKeys(chromedp.CSS("#phone"), "+49 228 5550104\r"), chromedp.WaitVisible(chromedp.CSS(".note li")))
	check("duplicate-narrow-de")
	b.expect("409")
	b.do(chromedp.Click(chromedp.CSS("main button.strong")), chromedp.WaitVisible(chromedp.CSS(".bigcode")))
	check("code-narrow-de")
	b.quiet()
}

// TestPrinting: the list is printed as a table that fits on a sheet of A4 (about 720 pixels without
// its margins) and leaves room for the causes.
func TestPrinting(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	erika := council(c)
	b.login(c)
	b.do(step(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}), b.width(720))
	b.waitFor(`matchMedia("print").matches`)
	if over := b.overflow(); over > 0 {
		t.Errorf("the list is %d pixels too wide", over)
	}
	if width := get(b, chromedp.Evaluate[int](`document.querySelector("#live tbody td:nth-child(3)").offsetWidth`)); width < 140 {
		t.Errorf("the causes are %d pixels wide", width)
	}
	if cut := get(b, chromedp.Evaluate[[]string](`[...document.querySelectorAll("#live tbody :is(td, th)")].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.innerText)`)); len(cut) > 0 {
		t.Errorf("wider than their cells: %q", cut)
	}
	if list := b.text("#live"); strings.Contains(list, "vor 3 Minuten") || !strings.Contains(list, "Eingerichtet, aber noch nicht geprüft.") {
		t.Errorf("got printed list %s; want it without %q, containing %q", list, "vor 3 Minuten", "Eingerichtet, aber noch nicht geprüft.")
	}
	b.shoot("print-list-de")
	b.do(chromedp.Navigate(c.URL()+"/participants/"+erika.Participant), chromedp.WaitVisible(chromedp.CSS("#answer")))
	if over := b.overflow(); over > 0 {
		t.Errorf("the participant's page is %d pixels too wide", over)
	}
	b.shoot("print-participant-de")
	b.quiet()
}
