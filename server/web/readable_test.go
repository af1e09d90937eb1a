package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestTextIsReadable measures the contrast of all text on the pages as the browser draws it
// (WCAG 2.1, 1.4.3), in both schemes. TestContrast knows only the colours that the style sheet
// names, but not those that a browser chooses, such as the colour of a placeholder.
func TestTextIsReadable(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	erika := council(c)
	b.login(c)
	person := "/participants/" + erika.Participant
	for _, address := range []string{"/", "/?q=nobody", "/?q=brukner", person, "/participants/new", person + "/edit", person + "/delete",
		person + "/computers/" + erika.ID + "/shutout", "/password", "/accessibility", "/nowhere"} {
		for _, dark := range []bool{false, true} {
			b.do(b.dark(dark), chromedp.Navigate(c.URL()+address), chromedp.WaitVisible(chromedp.CSS("h1")))
			if faint := get(b, chromedp.Evaluate[[]string](faintText)); len(faint) > 0 {
				t.Errorf("%s, dark %v: %q", address, dark, faint)
			}
		}
	}
	b.expect("404")
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
