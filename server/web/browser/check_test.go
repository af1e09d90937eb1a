package browser_test

import (
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/audio/signal/signaltest"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

const (
	begin = "#check-form button"
	again = "#check-again"
)

func voice() []float32 { return signaltest.Voice(48000, 12, 120, 0.4) }

// play writes the file that Chromium's microphone plays.
func play(t *testing.T, file string, samples []float32) {
	t.Helper()
	if err := os.WriteFile(file, signaltest.WAV(48000, samples), 0o600); err != nil {
		t.Fatal(err)
	}
}

// openCheck opens the page of the check with an invitation.
func (w *window) openCheck(c *server.Server) store.Participant {
	w.t.Helper()
	p, code, _, err := c.AddParticipant(w.t.Context(), "Erika Beispiel", "")
	if err != nil {
		w.t.Fatal(err)
	}
	w.open(w.t, c.URL()+"/check#"+code)
	w.waitFor(`document.querySelector("` + begin + `").offsetParent && window.tonprobe`)
	return p
}

// wantVoice checks the figures of the microphone.
func (w *window) wantVoice(r *report.Report) {
	w.t.Helper()
	analyzer, err := signal.NewAnalyzer(signal.Format{RateHz: 48000, Channels: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	analyzer.Write(voice())
	want := analyzer.Analysis()
	// The recording is another part of the voice, resampled by the browser.
	in := report.Find[report.AudioInput](r)
	if in == nil || in.State != report.CaptureComplete || math.Abs(*in.ActiveLevelDBFS-want.ActiveLevelDBFS) > 1.5 || math.Abs(*in.PeakDBFS-want.PeakDBFS) > 3 {
		w.t.Errorf("got %+v; want active level %v, peak %v", in, want.ActiveLevelDBFS, want.PeakDBFS)
	}
}

// wantReady checks the result of a healthy check.
func (w *window) wantReady(r *report.Report) {
	w.t.Helper()
	w.wantVoice(r)
	line := report.Find[report.MediaVoice](r)
	if line == nil || line.State != report.MediaComplete {
		w.t.Fatalf("got voice %+v, want it complete", line)
	}
	if *line.UpLossPct != 0 || *line.DownLossPct != 0 || *line.Sent != 300 || *line.RTTP50MS > 400 || line.Path == "" {
		w.t.Errorf("got voice %+v, want 300 packets without loss and a round trip of at most 400 ms", line)
	}
	if got := w.text("#check-headline"); r.Verdict != report.Ready || got != "Man wird Sie hören." || w.text("#check-case") != r.Case {
		w.t.Errorf("got %s, %q, case %q; want ready, the headline, and case %q", r.Verdict, got, w.text("#check-case"), r.Case)
	}
	w.waitFor(arrived)
	if bar := value[string](w, `return location.hash`); bar != "" {
		w.t.Errorf("the address still contains the code: %q", bar)
	}
}

const arrived = `document.getElementById("check-sent").textContent.includes("angekommen")`

// TestCheckInFirefox: a person with an invitation checks in Firefox, with a real sound server. A
// stream with pauses is accepted here, because the sound server needs the processor too.
// TestCheckInChromium checks the figures of a stream.
func TestCheckInFirefox(t *testing.T) {
	c := startCollector(t)
	spoken := voice()
	for range 3 {
		spoken = append(spoken, spoken...)
	}
	w := &window{t: t}
	w.driver = startFirefox(t, startSound(t, spoken), map[string]string{"media.navigator.permission.disabled": "true"})
	w.openCheck(c)
	r := w.checkUnlessBusy(begin)
	w.shoot("firefox-de")
	if line := report.Find[report.MediaVoice](r); line != nil && line.State == report.MediaSelfCheckVoid {
		w.wantVoice(r)
		if *line.Sent != 300 || line.Path == "" || line.DTLSMS == nil {
			t.Errorf("got voice %+v, want 300 packets, a path and the time of DTLS", line)
		}
		w.waitFor(arrived)
		return
	}
	w.wantReady(r)
}

// inSession adds a session in progress with a participant.
func inSession(t *testing.T, s *sqlstore.Store, p store.Participant) {
	t.Helper()
	council := store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: time.Now()}
	if err := s.AddCouncil(t.Context(), council); err != nil {
		t.Fatal(err)
	}
	if err := s.AddCouncilMember(t.Context(), council.ID, p.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.AddCouncilSession(t.Context(), store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, StartsAt: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
}

// TestCheckInChromium: a person with an invitation checks in Chromium. A second check needs no code; its
// microphone is silent, and its network permits relays only. Then a disturbance is reported. Support sees
// all of this.
func TestCheckInChromium(t *testing.T) {
	dir, password := t.TempDir(), ""
	c := startCollector(t, func(config *server.Config) {
		config.DataDir, config.MediaHost = dir, ownAddress(t)
		config.FirstPassword = func(_, p string) { password = p }
	})
	file := filepath.Join(t.TempDir(), "microphone.wav")
	play(t, file, voice())
	w := &window{t: t}
	w.driver = startChromium(t, file, true, w.complain)
	w.size(t, 390, 900)
	person := w.openCheck(c)
	w.shoot("start-phone-de")
	r := w.checkUnlessBusy(begin)
	w.run(t, `document.querySelector("details").open = true`)
	w.shoot("result-phone-de")
	w.wantReady(r)
	if over := value[int](w, `return document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		t.Errorf("the result is %d pixels too wide", over)
	}

	s, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(dir, "collector.db"), sqlstore.Options{Existing: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	inSession(t, s, person)
	if err := s.AskForRenewal(t.Context(), r.Agent.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	const token = `return JSON.parse(localStorage.getItem("tonprobe.check")).token`
	before := value[string](w, token)
	play(t, file, make([]float32, 48000))
	w.open(t, c.URL()+"/check")
	w.waitFor(`document.querySelector("` + again + `").offsetParent`)
	w.run(t, `const Direct = RTCPeerConnection; window.RTCPeerConnection = function (c) { return new Direct({...c, iceTransportPolicy: "relay"}); };`)
	r = w.checkUnlessBusy(again)
	if line := report.Find[report.MediaVoice](r); line == nil || line.State != report.MediaComplete || !strings.HasPrefix(line.Path, "relay ") || *line.UpLossPct > 0 {
		t.Errorf("over a relay: got %+v, want a complete stream over a relay without loss upwards", line)
	}
	if r.Verdict != report.NotReady || r.Causes[0].Code != "audio.digital_silence" {
		t.Errorf("without a sound: got %s, %+v; want %s because of audio.digital_silence", r.Verdict, r.Causes, report.NotReady)
	}
	w.waitFor(arrived)
	w.waitFor(fmt.Sprintf("JSON.parse(localStorage.getItem('tonprobe.check')).token !== %q && !JSON.parse(localStorage.getItem('tonprobe.check')).next", before))

	w.waitFor(`document.getElementById("check-disturb-button").offsetParent`)
	w.shoot("silent-phone-de")
	w.click(t, "#check-disturb-button")
	w.waitFor(`document.getElementById("check-disturbed").textContent.includes("eingetragen")`)

	w.open(t, c.URL()+"/login")
	w.run(t, fmt.Sprintf(`
		document.getElementById("name").value = %q;
		document.getElementById("password").value = %q;
		document.getElementById("password").form.requestSubmit();`, server.FirstUser, password))
	w.waitFor(`document.getElementById("q")`)
	w.open(t, c.URL()+"/participants/"+person.ID)
	if page := w.body(); !strings.Contains(page, "Linux, im Browser") || strings.Contains(page, "Neu prüfen lassen") {
		t.Errorf("got %s; want it to say that this was in the browser", page)
	}
	w.quiet()
}

// ownAddress returns an address of this machine: browsers do not use loopback for relays.
func ownAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	t.Fatal("this machine has no address")
	return ""
}

// TestCheckRefused: a code that does not exist, and no permission.
func TestCheckRefused(t *testing.T) {
	c := startCollector(t)
	file := filepath.Join(t.TempDir(), "microphone.wav")
	play(t, file, voice())
	w := &window{t: t}
	w.driver = startChromium(t, file, false, w.complain)
	w.size(t, 390, 900)
	_, code, _, err := c.AddParticipant(t.Context(), "Anna Beispiel", "")
	if err != nil {
		t.Fatal(err)
	}
	w.open(t, c.URL()+"/check#AAAA-AAAA-AAAA")
	w.waitFor(`document.querySelector("` + begin + `").offsetParent && window.tonprobe`)
	w.click(t, begin)
	w.waitFor(`!document.getElementById("check-code-problem").hidden`)
	w.expect("404")
	w.shoot("code-phone-de")
	w.run(t, fmt.Sprintf(`document.getElementById("check-code").value = %q`, code))
	r := w.check(begin)
	if r.Verdict != report.NotReady || r.Causes[0].Code != "audio.privacy_blocked" {
		t.Errorf("got %s, %+v; want %s because of audio.privacy_blocked", r.Verdict, r.Causes, report.NotReady)
	}
	if cause := w.text("#check-cause"); cause != "Der Browser erlaubt dieser Seite das Mikrofon nicht." {
		t.Errorf("got %q, want the sentence about the permission", cause)
	}
	w.waitFor(arrived)
	w.shoot("refused-phone-de")
	w.quiet()
}

// TestCheckOnLoopback: the collector serves loopback only, as that of cmd/demo, and so does its reflector.
func TestCheckOnLoopback(t *testing.T) {
	c := startCollector(t, func(config *server.Config) {
		config.STUNListen, config.MediaListen = "127.0.0.1:0", "127.0.0.1:0"
	})
	file := filepath.Join(t.TempDir(), "microphone.wav")
	play(t, file, voice())
	w := &window{t: t}
	w.driver = startChromium(t, file, true, w.complain)
	w.openCheck(c)
	w.wantReady(w.checkUnlessBusy(begin))
	w.quiet()
}
