package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/audio/signal/signaltest"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

const rateHz = 48000

// heardBy plays samples until the recording is over, and returns the part that was measured.
func heardBy(t *testing.T, samples []float32) (*capture, []float32) {
	t.Helper()
	e, err := newCapture(rateHz)
	if err != nil {
		t.Fatal(err)
	}
	end := 0
	for at := 0; at < len(samples); at = end {
		end = min(at+2048, len(samples))
		if e.add(samples[at:end]); e.meter().Over {
			break
		}
	}
	if !e.meter().Over {
		t.Fatalf("the recording is not over after %v s", float64(len(samples))/rateHz)
	}
	return e, samples[end-e.frames : end]
}

func voice(level float64) []float32 {
	samples := signaltest.Voice(rateHz, 14, 120, level)
	for i, x := range samples {
		samples[i] = float32(math.Round(float64(x)*32768) / 32768)
	}
	return samples
}

// TestCaptureMeasuresLikeAnalyze: a browser's figures are those of "tonprobe analyze" for the same
// samples.
func TestCaptureMeasuresLikeAnalyze(t *testing.T) {
	e, measured := heardBy(t, voice(0.4))
	want, err := audio.Analyze(bytes.NewReader(signaltest.WAV(rateHz, measured)))
	if err != nil {
		t.Fatal(err)
	}
	want.Backend, want.NativeRateHz, want.NativeChannels = browserBackend, nil, nil
	if got := e.data(report.CaptureComplete); !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", asJSON(t, got), asJSON(t, want))
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// line is a stream over a line that loses packets upstream, evenly, lost of each hundred.
func line(t *testing.T, lost int) *streamed {
	t.Helper()
	s := &streamed{Path: "host udp", ICEMS: new(20.0), DTLSMS: new(30.0), DirectUDP: new(true), Payload: wire.DefaultBytes, Complete: true, AllBack: lost == 0, WaitedMS: 6500}
	var arrivals []wire.Arrival
	const reflectorNS = int64(7e9)
	for i := range 300 {
		sent := float64(20 * i)
		s.Sends = append(s.Sends, sending{EncodedMS: sent + 12345, SentMS: sent})
		if lost > 0 && i%(100/lost) == 0 {
			continue
		}
		arrived := reflectorNS + nanoseconds(sent+15)
		d := wire.Down{Seq: uint32(len(arrivals)), UpSeq: uint32(i), UpSentNS: nanoseconds(sent), UpArrivedNS: arrived, SentNS: arrived, UpUnique: uint32(len(arrivals) + 1)}
		arrivals = append(arrivals, wire.Arrival{Seq: uint32(i), ArrivedNS: arrived})
		b, err := wire.AppendDown(nil, d, wire.DownHeaderBytes)
		if err != nil {
			t.Fatal(err)
		}
		s.Echoes = append(s.Echoes, echoed{Payload: base64.StdEncoding.EncodeToString(b), ArrivedMS: sent + 30})
	}
	log, err := json.Marshal(wire.NewEchoLog(arrivals, len(arrivals), 0))
	if err != nil {
		t.Fatal(err)
	}
	s.Log = log
	return s
}

func reached() *fetched {
	return &fetched{Reached: true, Status: 200, FirstByteMS: new(8.0), ServerTimeMS: 1e12, AskedMS: 1e12, AnsweredMS: 1e12 + 10}
}

// TestVisits: what a browser measured leads to the same causes as in the program. A server of ours
// that does not answer is never the participant's fault.
func TestVisits(t *testing.T) {
	good, _ := heardBy(t, voice(0.4))
	quiet, _ := heardBy(t, voice(0.0004))
	zeros, _ := heardBy(t, make([]float32, 14*rateHz))
	short, err := newCapture(rateHz)
	if err != nil {
		t.Fatal(err)
	}
	short.add(voice(0.4)[:3*rateHz])
	relayed := line(t, 0)
	relayed.Path, relayed.DirectUDP = "relay udp", new(false)
	complete := &recorded{State: report.CaptureComplete}
	for name, c := range map[string]struct {
		heard   *capture
		audio   *recorded
		voice   *streamed
		web     *fetched
		verdict report.Verdict
		cause   string
	}{
		"healthy":               {good, complete, line(t, 0), reached(), report.Ready, ""},
		"silent microphone":     {zeros, complete, line(t, 0), reached(), report.NotReady, "audio.digital_silence"},
		"too quiet":             {quiet, complete, line(t, 0), reached(), report.NotReady, "audio.too_quiet"},
		"not permitted":         {nil, &recorded{State: report.CaptureRefused}, line(t, 0), reached(), report.NotReady, "audio.privacy_blocked"},
		"no microphone":         {nil, &recorded{State: report.CaptureNoDevice}, line(t, 0), reached(), report.NotReady, "audio.no_microphone"},
		"in use":                {nil, &recorded{State: report.CaptureInUse}, line(t, 0), reached(), report.NotReady, "audio.in_use"},
		"ended while speaking":  {good, &recorded{State: report.CaptureStalled}, line(t, 0), reached(), report.NotReady, "audio.stalled"},
		"in the background":     {nil, &recorded{Note: "the page was in the background"}, line(t, 0), reached(), report.Unknown, ""},
		"3 % loss":              {good, complete, line(t, 3), reached(), report.Limited, "net.upload_loss"},
		"1 % loss":              {good, complete, line(t, 1), reached(), report.Ready, ""},
		"ended after 3 s":       {short, &recorded{State: report.CaptureStalled}, line(t, 0), reached(), report.NotReady, "audio.stalled"},
		"one port is open":      {good, complete, relayed, reached(), report.Limited, "conf.media_ports_blocked"},
		"lossy line":            {good, complete, line(t, 20), reached(), report.NotReady, "net.upload_loss"},
		"silent reflector":      {good, complete, &streamed{Failure: report.MediaICEFailed, Note: "no path for packets was found"}, reached(), report.Unknown, "conf.ice_failed"},
		"silent collector":      {good, complete, &streamed{Failure: report.MediaNoSignalling, Note: "no answer from the collector"}, &fetched{}, report.Unknown, ""},
		"offline in the middle": {good, complete, &streamed{Failure: report.MediaNoSignalling, Note: "no answer from the collector"}, &fetched{Offline: true}, report.NotReady, "net.offline"},
		"revoked":               {good, complete, &streamed{Failure: report.MediaUnknownAgent, Note: "token_invalid"}, &fetched{Reached: true, Status: 401}, report.Unknown, ""},
		"browser without it":    {good, complete, &streamed{Note: "this browser cannot measure a voice stream"}, reached(), report.Unknown, ""},
		"nothing":               {nil, nil, nil, nil, report.Unknown, ""},
	} {
		document, err := json.Marshal(visit{AgentID: "0b1f8f0e-2c54-4a4b-9a53-6a6f2c1c9f00", Version: "1.4.0", OS: "ios", StartedAt: time.Now(), DurationMS: 9000,
			Audio: c.audio, Voice: c.voice, Web: c.web, STUN: c.voice == relayed})
		if err != nil {
			t.Fatal(err)
		}
		r, err := finish(document, c.heard, rand.Reader)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		primary, _ := r.Primary()
		if r.Verdict != c.verdict || primary.Code != c.cause {
			t.Errorf("%s: got %s, %q; want %s, %q", name, r.Verdict, primary.Code, c.verdict, c.cause)
		}
		if r.Verdict == report.Unknown && primary.Area == report.AreaParticipant {
			t.Errorf("%s: the participant is responsible for %s", name, primary.Code)
		}
		for _, lang := range phrase.Langs() {
			if s, err := sheetOf(r, lang); err != nil || s.Headline == "" || s.Cause == "" || s.Action == "" || s.Case != r.Case {
				t.Errorf("%s: got %+v, error %v; want all texts and the case %s", name, s, err, r.Case)
			}
		}
	}
}

// TestBusyBrowser: a browser whose sound stands still leaves out packets. A short pause is no reason to
// distrust all packets after it.
func TestBusyBrowser(t *testing.T) {
	for stoodMS, want := range map[float64]string{0: "ok", 30: "degraded", 70: "degraded", 200: "void"} {
		s := line(t, 0)
		for i := 100; i < len(s.Sends); i++ {
			s.Sends[i].EncodedMS -= stoodMS // the clock of the encoder stood too
		}
		r := s.result()
		if got := r.Data.(*report.MediaVoice); got.SelfCheck != want {
			t.Errorf("the sound stood still for %v ms: got %s, %+v; want %s", stoodMS, got.SelfCheck, *got.SendLatenessP95MS, want)
		}
	}
	// Another unit of the encoder's clock is not this computer's fault.
	other := line(t, 0)
	for i := range other.Sends {
		other.Sends[i].EncodedMS *= 1000
	}
	if got := other.result().Data.(*report.MediaVoice); got.SelfCheck != "ok" {
		t.Errorf("a clock in another unit: got %s, want ok", got.SelfCheck)
	}
	// Two packets at a time are usual.
	s := line(t, 0)
	for i := 1; i < len(s.Sends); i += 2 {
		s.Sends[i].SentMS = s.Sends[i-1].SentMS
	}
	if got := s.result().Data.(*report.MediaVoice); got.SelfCheck == "void" {
		t.Errorf("packets in pairs: got self-check %s at %v ms late, want another one", got.SelfCheck, *got.SendLatenessP95MS)
	}
}

func TestPackets(t *testing.T) {
	all := strings.Repeat("1", 295)
	for back, want := range map[string]int{"": 300, all: 300, "00" + all[2:]: 300, "000" + all[3:]: 450, strings.Repeat("0", 295): 300} {
		if got := packetsAfter(back); got != want {
			t.Errorf("after %.9s...: got %d packets, want %d", back, got, want)
		}
	}
}

func TestInSession(t *testing.T) {
	now := time.Date(2026, 11, 30, 18, 0, 0, 0, time.UTC)
	for start, want := range map[string]bool{"2026-11-30T17:00:00Z": true, "2026-11-30T18:30:00Z": true, "2026-11-30T19:30:00Z": false, "2026-11-30T03:00:00Z": false} {
		if got := inSession([]byte(`{"targets":[],"sessions":[{"starts_at":"`+start+`"}]}`), now); got != want {
			t.Errorf("a session from %s: got %v, want %v", start, got, want)
		}
	}
	if inSession([]byte("<html>"), now) {
		t.Error("in session by the page of a proxy")
	}
}
