package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
)

// fakeRecording simulates the kept recording.
type fakeRecording struct {
	erased, played int
	fail           error
}

func (k *fakeRecording) into(o *Options) {
	o.Erase = func() { k.erased++ }
	o.PlayBack = func(context.Context) error { k.played++; return k.fail }
}

func TestConsentBeforeTheTone(t *testing.T) {
	offer := func(o *Options) { o.OffersSpeaker = true }
	for name, tc := range map[string]struct {
		with func(*Options)
		keys []string
		want bool
	}{
		"not chosen":           {offer, []string{"enter"}, false},
		"chosen":               {offer, []string{"l", "enter"}, true},
		"chosen and withdrawn": {offer, []string{"l", "L", "enter"}, false},
		"not offered":          {nil, []string{"l", "enter"}, false},
		"by the flag":          {func(o *Options) { offer(o); o.Speaker = true }, []string{"enter"}, true},
		"no audio":             {func(o *Options) { offer(o); o.Speaker, o.Consent.NoAudio = true, true }, []string{"l", "enter"}, false},
		"too late":             {offer, []string{"enter", "l"}, false},
	} {
		s := newStand(t, phrase.DE, true, tc.with).press(tc.keys...).at(t, checking)
		if s.choices.Speaker != tc.want || s.checking.Speaker != tc.want {
			t.Errorf("%s: got speaker %v, want %v", name, s.choices.Speaker, tc.want)
		}
	}
}

func TestChangeWhileSpeaking(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).press("enter").begun()
	if s.press("w"); s.choices.Device != "" {
		t.Fatal("the microphone changed without an offer")
	}
	over := s.running.over
	s.event(time.Second, elsewhereEvent()).press("w").at(t, checking)
	select {
	case <-over:
	default:
		t.Error("the first check continues")
	}
	if s.choices.Device != "jabra-id" || s.checking.Chosen != "Jabra Evolve2 65" || s.running.number != 1 || s.checking.Elsewhere().Found() {
		t.Errorf("got choices %+v, number %d; want jabra-id, 1", s.choices, s.running.number)
	}
	if s.send(checkedMsg{number: 0, err: context.Canceled}); s.stage != checking {
		t.Error("the end of the first check ended the second")
	}
}

func TestChangeAfterTheVerdict(t *testing.T) {
	wrong := wrongMicrophone(t)
	for name, tc := range map[string]struct {
		r     *report.Report
		heard bool
		want  string
	}{
		"wrong device": {wrong, true, "jabra-id"}, "not named": {wrong, false, ""}, "another cause": {finished(t, muted), true, ""},
	} {
		s := newStand(t, phrase.DE, true, nil).press("enter")
		if tc.heard {
			s.event(0, elsewhereEvent())
		}
		if s.send(checkedMsg{number: 0, report: tc.r}).press("w"); s.choices.Device != tc.want {
			t.Errorf("%s: got device %q, want %q", name, s.choices.Device, tc.want)
		}
	}
}

// TestChecksDoNotOverlap: a microphone must not be opened twice.
func TestChecksDoNotOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open, ended := 0, make(chan struct{})
		o := Options{Check: func(ctx context.Context, _ Choices, _ func(probe.Event)) (*report.Report, error) {
			if open++; open > 1 {
				t.Error("got two checks at once")
			}
			<-ctx.Done()
			<-ended // the capture process takes some time to end
			open--
			return nil, ctx.Err()
		}}.withDefaults()
		d := newDesk(t.Context(), o)
		first, run := d.check(0, Choices{}, nil)
		go run()
		synctest.Wait()
		first.cancel()
		second, run := d.check(1, Choices{}, nil)
		go run()
		synctest.Wait() // it waits for the previous one
		if open != 1 {
			t.Errorf("got %d open microphones, want 1", open)
		}
		close(ended)
		synctest.Wait()
		if open != 1 {
			t.Errorf("got %d open microphones after the first check ended, want 1", open)
		}
		second.cancel()
		if !d.close(time.Minute) {
			t.Error("the second check does not end")
		}
	})
}

func TestReplay(t *testing.T) {
	var k fakeRecording
	s := newStand(t, phrase.DE, true, k.into).answered(finished(t, nil), DeliverySent)
	if s.verdict.Replay != page.ReplayKept {
		t.Fatalf("got state %q, want %q", s.verdict.Replay, page.ReplayKept)
	}
	s.press("p", "p")
	if s.verdict.Replay != page.ReplayPlaying || s.last != nil {
		t.Error("got two replays")
	}
	k.fail = errors.New("no loudspeaker")
	s.send(playedMsg{number: 1}).press("P")
	if s.send(s.last()); k.played != 1 || s.verdict.Replay != page.ReplayFailed {
		t.Errorf("got %d replays, state %q; want 1, %q", k.played, s.verdict.Replay, page.ReplayFailed)
	}
	if s.press("p"); s.verdict.Replay != page.ReplayPlaying {
		t.Error("got no second replay")
	}
}

func TestVoiceIsErased(t *testing.T) {
	for name, end := range map[string]func(*stand){
		"repeat":  func(s *stand) { s.press("r") },
		"quit":    func(s *stand) { s.press("q") },
		"Ctrl-C":  func(s *stand) { s.press("d", "ctrl+c") },
		"in time": func(s *stand) { s.send(expiredMsg{1}) },
		"playing": func(s *stand) { s.press("p").send(expiredMsg{1}, playedMsg{number: 1}) },
	} {
		var k fakeRecording
		s := newStand(t, phrase.DE, true, k.into).answered(finished(t, nil), DeliverySent)
		before := k.erased
		end(s)
		if k.erased == before || s.verdict.Replay.Held() {
			t.Errorf("%s: got %d erasures, state %q; want at least 1, and nothing to play", name, k.erased-before, s.verdict.Replay)
		}
	}
	var k fakeRecording
	s := newStand(t, phrase.DE, true, k.into).answered(finished(t, nil), DeliverySent).press("r")
	before := k.erased
	if s.send(expiredMsg{1}); k.erased != before {
		t.Error("an old timer erased the recording of the new check")
	}
}

func TestNothingToReplay(t *testing.T) {
	for name, r := range map[string]*report.Report{"silence": finished(t, muted), "no microphone": finished(t, unmeasured)} {
		var k fakeRecording
		s := newStand(t, phrase.DE, true, k.into).answered(r, DeliverySent).press("p")
		if k.played > 0 || s.verdict.Replay != "" || k.erased == 0 {
			t.Errorf("%s: got %+v, state %q; want played at most 0, erased non-zero, none", name, k, s.verdict.Replay)
		}
	}
}

// TestMarksAgreeWithTheVerdict checks that the final marks beside the meter agree
// with the report.
func TestMarksAgreeWithTheVerdict(t *testing.T) {
	tooQuiet := func(rs []report.Result) { rs[0].Data.(*report.AudioInput).ActiveLevelDBFS = new(-55.0) }
	for name, with := range map[string]func([]report.Result){
		"healthy": nil, "muted": muted, "lossy": lossy, "unmeasured": unmeasured, "quiet": tooQuiet,
	} {
		rs := healthy()
		if with != nil {
			with(rs)
		}
		s := newStand(t, phrase.DE, true, nil).press("enter").begun()
		for _, r := range rs {
			s.event(0, doneEvent(r))
		}
		for _, p := range finished(t, with).Probes {
			if got := s.checking.StatusOf(p.Name); got != p.Status {
				t.Errorf("%s: %s: got %s on the screen, want %s as in the report", name, p.Name, got, p.Status)
			}
		}
	}
}

func TestReasonIsInThePersonsLanguage(t *testing.T) {
	known := errors.New("known")
	explain := func(err error) (string, bool) { return "Die Adresse stimmt nicht.", errors.Is(err, known) }
	w := newStand(t, phrase.DE, true, nil).words
	for err, want := range map[error]string{
		known:                  "Grund: Die Adresse stimmt nicht.",
		errInternal:            "Grund: Im Programm ist ein Fehler aufgetreten.",
		errors.New("\x1b[2Jx"): "Technischer Grund, auf Englisch: x",
	} {
		if got := (Options{Explain: explain}).reason(err, w); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}

func TestPlainOffers(t *testing.T) {
	two := func(context.Context) ([]Microphone, error) {
		return []Microphone{{Name: "HD Webcam C270", IsDefault: true}, {Name: "Jabra Evolve2 65"}}, nil
	}
	hears := func(say func(probe.Event)) {
		say(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventListening})
		say(elsewhereEvent())
		say(elsewhereEvent())
	}
	for name, tc := range map[string]struct {
		in   string
		with func(*Options)
		want []Choices
	}{
		"change":     {"\n\n\nw\n\n\n", nil, []Choices{{}, {Device: "jabra-id"}}},
		"other":      {"\n\n\nm\n2\n\n\n", nil, []Choices{{}, {Device: "Jabra Evolve2 65"}}},
		"repeat":     {"\n\n\nd\nr\n\nq\n", nil, []Choices{{}, {}}},
		"stay":       {"\n\n\n\n", nil, []Choices{{}}},
		"unattended": {"", func(o *Options) { o.Interactive, o.In = false, nil }, []Choices{{}}},
		"speaker":    {"l\n\n\n\n", func(o *Options) { o.OffersSpeaker = true }, []Choices{{Speaker: true}}},
		"flag":       {"", func(o *Options) { o.OffersSpeaker, o.Speaker, o.Agreed = true, true, true }, []Choices{{Speaker: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []Choices
			out, _, err := recital(t, phrase.DE, tc.in, func(o *Options) {
				o.Devices = two
				check := o.Check
				o.Check = func(ctx context.Context, c Choices, progress func(probe.Event)) (*report.Report, error) {
					if (c.ToneHeard != nil) != (c.Speaker && o.Interactive && !o.Agreed) {
						t.Error("the tone question is offered if and only if nobody can answer it")
					}
					c.ToneHeard = nil // functions cannot be compared
					got = append(got, c)
					return check(ctx, c, progress)
				}
				if tc.with != nil {
					tc.with(o)
				}
			}, wrongMicrophone(t), hears)
			if err != nil || len(got) != len(tc.want) || !reflect.DeepEqual(got[0], tc.want[0]) || !reflect.DeepEqual(got[len(got)-1], tc.want[len(got)-1]) {
				t.Errorf("got %+v, error %v, want %+v\n%s", got, err, tc.want, out)
			}
			golden(t, "de/plain_offers_"+name, out)
		})
	}
}

// TestPlainQuitInTheSecondCheck expects the report of the first check, as on the screen.
func TestPlainQuitInTheSecondCheck(t *testing.T) {
	want := finished(t, nil)
	out, got, err := recital(t, phrase.DE, "\n\nr\nq\n", nil, want, goodVoice)
	if got != want || err != nil || strings.Count(out, "Ergebnis:") != 1 {
		t.Errorf("got report %v, error %v; want the first report, nil\n%s", got, err, out)
	}
}

func TestPlainReplay(t *testing.T) {
	var k fakeRecording
	out, _, err := recital(t, phrase.DE, "\n\np\nx\np\n\n", k.into, finished(t, nil), goodVoice)
	if err != nil || k.played != 2 || k.erased < 2 {
		t.Errorf("got %+v, error %v; want 2 replays and at least 2 erasures", k, err)
	}
	golden(t, "de/plain_replay", out)
}

// TestPlainErasesInTime: if a person leaves without answering, the recording is
// erased.
func TestPlainErasesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, hold := io.Pipe()
		defer hold.Close()
		go func() {
			_, _ = io.WriteString(hold, "\n\n")
			time.Sleep(time.Hour)
			_, _ = io.WriteString(hold, "r\n\n\n") // the questions are still open
		}()
		var k fakeRecording
		var out bytes.Buffer
		o := Options{Lang: phrase.DE, Plain: true, Interactive: true, In: in, Out: &out,
			Check: func(context.Context, Choices, func(probe.Event)) (*report.Report, error) {
				return finished(t, nil), nil
			}}
		k.into(&o)
		began := time.Now()
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) != time.Hour || k.erased == 0 || !strings.Contains(out.String(), "ist gelöscht") || strings.Count(out.String(), "Ergebnis:") != 2 {
			t.Errorf("after %v: got %d erasures, want at least 1 after 1h0m0s:\n%s", time.Since(began), k.erased, &out)
		}
		_ = in.Close()
	})
}
