package web_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/audio/signal/signaltest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// ears is a Chromium whose microphone plays a file.
type ears struct {
	*browser
	c    *collector
	file string
}

// openEars opens the browser check as somebody who has just received an invitation.
func openEars(t *testing.T, c *collector) ears {
	t.Helper()
	e := ears{c: c, file: filepath.Join(t.TempDir(), "microphone.wav")}
	e.plays(signaltest.Voice(48000, 12, 120, 0.4))
	ctx, closeAll := launch(t, need(t, "chromium"), chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", e.file), chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	t.Cleanup(closeAll)
	e.browser = openTab(t, "de", ctx)
	return e
}

func (e ears) plays(samples []float32) {
	if err := os.WriteFile(e.file, signaltest.WAV(48000, samples), 0o600); err != nil {
		panic(err)
	}
}

func (e ears) invite(name string) (id, code string) {
	e.t.Helper()
	p, code, _, err := e.c.AddParticipant(e.t.Context(), name, "")
	if err != nil {
		e.t.Fatal(err)
	}
	return p.ID, code
}

// check starts the check and returns the report of the page.
func (e ears) check() *report.Report {
	e.t.Helper()
	e.do(chromedp.Click(chromedp.CSS("#check-form button")))
	e.waitFor(`!document.getElementById("check-result").hidden || !document.getElementById("check-problem").hidden`)
	document := get(e.browser, chromedp.Evaluate[string](`sessionStorage.getItem("tonprobe.last") || ""`))
	r, err := report.Decode([]byte(document))
	if err != nil {
		e.t.Fatalf("the page has no report: %v\n%s", err, e.body())
	}
	return r
}

func TestBrowserCheck(t *testing.T) {
	c := startCollector(t)
	e := openEars(t, c)
	_, code := e.invite("Erika Beispiel")
	e.do(chromedp.Navigate(c.URL()+"/check#"+code), chromedp.WaitVisible(chromedp.CSS("#check-form button")))
	r := e.check()
	b, _ := json.MarshalIndent(r, "", " ")
	fmt.Println(string(b))
	fmt.Println(e.body())
	if r.Verdict != report.Ready || !strings.Contains(e.text("#check-headline"), "Man wird Sie hören") {
		t.Errorf("verdict %s", r.Verdict)
	}
	e.shoot("check-ready")
	e.quiet()
}
