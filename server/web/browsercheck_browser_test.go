package web_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/audio/signal/signaltest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
	browserprogram "github.com/tonprobe/tonprobe/server/web/browser"
)

// checkTab is a tab of Chromium whose microphone plays a file.
type checkTab struct {
	*browser
	c    *collector
	file string
}

// openCheckTab opens a tab. Without more flags, its pages may not use the microphone.
func openCheckTab(t *testing.T, c *collector, more ...chromedp.ExecAllocatorOption) checkTab {
	t.Helper()
	if _, ok, err := browserprogram.Load(); !ok || err != nil {
		need.Lack(t, "go generate ./server/web/browser", err)
	}
	e := checkTab{c: c, file: filepath.Join(t.TempDir(), "microphone.wav")}
	e.plays(signaltest.Voice(48000, 12, 120, 0.4))
	more = append(more, chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-file-for-fake-audio-capture", e.file))
	ctx, closeAll := launch(t, need.Program(t, "chromium"), more...)
	t.Cleanup(closeAll)
	e.browser = openTab(t, "de", ctx)
	return e
}

func (e checkTab) plays(samples []float32) {
	if err := os.WriteFile(e.file, signaltest.WAV(48000, samples), 0o600); err != nil {
		panic(err)
	}
}

func (e checkTab) invite(name string) (id, code string) {
	e.t.Helper()
	p, code, _, err := e.c.AddParticipant(e.t.Context(), name, "")
	if err != nil {
		e.t.Fatal(err)
	}
	return p.ID, code
}

// check starts the check and returns the report of the page.
func (e checkTab) check() *report.Report {
	e.t.Helper()
	e.do(chromedp.Click(chromedp.CSS("#check-form button")))
	e.waitFor(`!document.getElementById("check-result").hidden || !document.getElementById("check-problem").hidden`)
	return e.report()
}

// report returns the report that the page shows.
func (e checkTab) report() *report.Report {
	e.t.Helper()
	document := get(e.browser, chromedp.Evaluate[string](`sessionStorage.getItem("tonprobe.last") || ""`))
	r, err := report.Decode([]byte(document))
	if err != nil {
		e.t.Fatalf("the page has no report: %v\n%s", err, e.body())
	}
	return r
}

// onEveryAddress makes the reflector reachable for Chromium, which does not use loopback for media.
func onEveryAddress(c *server.Config) { c.MediaListen, c.STUNListen = ":0", ":0" }

// TestBrowserCheck: a person with an invitation checks in a browser, with a voice and with a microphone
// that is silent; support sees the result.
func TestBrowserCheck(t *testing.T) {
	c := startCollector(t, onEveryAddress)
	e := openCheckTab(t, c, chromedp.Flag("use-fake-ui-for-media-stream", true))
	id, code := e.invite("Erika Beispiel")
	e.do(e.width(390), chromedp.Navigate(c.URL()+"/check#"+code), chromedp.WaitVisible(chromedp.CSS("#check-form button")))
	e.shoot("check-start-phone-de")

	r := e.check()
	in, voice := report.Find[report.AudioInput](r), report.Find[report.MediaVoice](r)
	analyzer, err := signal.NewAnalyzer(signal.Format{RateHz: 48000, Channels: 1})
	if err != nil {
		t.Fatal(err)
	}
	analyzer.Write(signaltest.Voice(48000, 12, 120, 0.4))
	want := analyzer.Analysis()
	// The recording is another part of the file, resampled by the browser.
	if in == nil || in.State != report.CaptureComplete || math.Abs(*in.ActiveLevelDBFS-want.ActiveLevelDBFS) > 1.5 || math.Abs(*in.PeakDBFS-want.PeakDBFS) > 3 {
		t.Errorf("got %+v; want active level %v, peak %v", in, want.ActiveLevelDBFS, want.PeakDBFS)
	}
	if voice == nil || voice.State != report.MediaComplete && voice.State != report.MediaSelfCheckVoid {
		t.Fatalf("got voice %+v", voice)
	}
	headline := "Man wird Sie hören."
	if voice.State == report.MediaComplete {
		if *voice.UpLossPct != 0 || *voice.DownLossPct != 0 || *voice.Sent != 300 || *voice.RTTP50MS > 400 || voice.Path == "" {
			t.Errorf("got voice %+v", voice)
		}
	} else { // Chromium could not keep its schedule on this machine
		headline = "Das ließ sich nicht sicher prüfen."
	}
	if got := e.text("#check-headline"); got != headline || e.text("#check-case") != r.Case {
		t.Errorf("got %q, case %q", got, e.text("#check-case"))
	}
	e.waitFor(`document.getElementById("check-sent").textContent.includes("angekommen")`)
	e.do(e.run(`document.querySelector("details").open = true`))
	for _, dark := range []bool{false, true} {
		e.do(e.dark(dark), e.width(map[bool]int64{false: 820, true: 390}[dark]))
		e.shoot(map[bool]string{false: "check-result-tablet-de", true: "check-result-phone-dark-de"}[dark])
		if over := e.overflow(); over > 0 {
			t.Errorf("the result is %d pixels too wide", over)
		}
	}
	if bar := get(e.browser, chromedp.Evaluate[string](`location.hash`)); bar != "" {
		t.Errorf("the address still contains the code: %q", bar)
	}

	// Later visits need no code. The microphone is silent then.
	e.plays(make([]float32, 48000))
	e.do(e.dark(false), chromedp.Navigate(c.URL()+"/check"), chromedp.WaitVisible(chromedp.CSS("#check-again")), chromedp.Click(chromedp.CSS("#check-again")))
	e.waitFor(`!document.getElementById("check-run").hidden`)
	e.waitFor(`!document.getElementById("check-result").hidden`)
	if r := e.report(); r.Verdict != report.NotReady || r.Causes[0].Code != "audio.digital_silence" {
		t.Errorf("without a sound: got %s, %+v", r.Verdict, r.Causes)
	}
	e.waitFor(`document.getElementById("check-sent").textContent.includes("angekommen")`)
	e.shoot("check-silent-phone-de")

	g := openBrowser(t, "de")
	g.login(c)
	g.do(chromedp.Navigate(c.URL()+"/participants/"+id), chromedp.WaitVisible(chromedp.CSS("#answer")))
	if page := g.text("main"); !strings.Contains(page, "Linux, im Browser") || strings.Contains(page, "Neu prüfen lassen") {
		t.Errorf("got %s; want it to say that this was in the browser", page)
	}
	g.quiet()
	e.quiet()
}

// TestBrowserCheckRefused: no permission, and a code that does not exist.
func TestBrowserCheckRefused(t *testing.T) {
	c := startCollector(t, onEveryAddress)
	e := openCheckTab(t, c)
	b := e.browser
	_, code := e.invite("Anna Beispiel")
	b.do(chromedp.Navigate(c.URL()+"/check#AAAA-AAAA-AAAA"), chromedp.WaitVisible(chromedp.CSS("#check-form button")), chromedp.Click(chromedp.CSS("#check-form button")))
	b.waitFor(`!document.getElementById("check-code-problem").hidden`)
	b.expect("404")
	b.shoot("check-code-de")
	b.do(chromedp.SendKeys(chromedp.CSS("#check-code"), code))
	r := e.check()
	if r.Verdict != report.NotReady || r.Causes[0].Code != "audio.privacy_blocked" {
		t.Errorf("got %s, %+v", r.Verdict, r.Causes)
	}
	if cause := b.text("#check-cause"); cause != "Der Browser erlaubt dieser Seite das Mikrofon nicht." {
		t.Errorf("got %q", cause)
	}
	b.waitFor(`document.getElementById("check-sent").textContent.includes("angekommen")`)
	b.quiet()
}
