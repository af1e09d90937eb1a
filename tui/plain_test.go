package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// script emits the events of a check.
type script func(say func(probe.Event))

// recital runs a plain check with simulated input, devices and clock.
func recital(t *testing.T, lang phrase.Lang, in string, with func(*Options), r *report.Report, play script) (string, *report.Report, error) {
	t.Helper()
	now := noon
	var out bytes.Buffer
	o := Options{
		Lang: lang, Plain: true, In: strings.NewReader(in), Out: &out, Interactive: true,
		Consent: Consent{Recipient: "tonprobe.musterstadt.de"},
		Deliver: func(context.Context, *report.Report) Delivery { return DeliverySent },
	}
	o.Check = func(_ context.Context, _ Choices, progress func(probe.Event)) (*report.Report, error) {
		if play != nil {
			play(progress)
		}
		if r == nil {
			return nil, errors.New("no such profile")
		}
		return r, nil
	}
	// Events contain no time, so each reading of the clock advances it.
	o.Now = func() time.Time {
		now = now.Add(50 * time.Millisecond)
		return now
	}
	if with != nil {
		with(&o)
	}
	got, err := Run(t.Context(), o)
	return out.String(), got, err
}

func TestPlainNamesThePhone(t *testing.T) {
	with := func(o *Options) { o.Agreed, o.Phone = true, func() string { return "0228 5550100" } }
	if out, _, err := recital(t, phrase.DE, "", with, finished(t, nil), goodVoice); err != nil || !strings.Contains(out, "\nTelefon-Hilfe: 0228 5550100\n") {
		t.Errorf("got error %v, want nil and the telephone number:\n%s", err, out)
	}
}

func TestPlainShowsTheNotice(t *testing.T) {
	with := func(o *Options) { o.Agreed, o.Notice = true, "Tonprobe 1.4.0 ist da: Neu." }
	if out, _, err := recital(t, phrase.DE, "", with, finished(t, nil), goodVoice); err != nil || strings.Count(out, "\nTonprobe 1.4.0 ist da: Neu.\n") != 1 {
		t.Errorf("got %v and\n%s\nwant the notice once", err, out)
	}
}

func goodVoice(say func(probe.Event)) {
	rs := healthy()
	for _, r := range rs {
		say(probe.Event{Probe: r.Name, Kind: probe.EventStarted})
	}
	say(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventListening})
	say(doneEvent(rs[3]))
	for range 30 {
		say(levelEvent(probe.Level{RMSDBFS: -46, PeakDBFS: -35, Speech: true}))
	}
	for range 60 {
		say(levelEvent(probe.Level{RMSDBFS: -25, PeakDBFS: -12, Speech: true}))
	}
	for _, r := range rs[:3] {
		say(doneEvent(r))
	}
}

func silentMicrophone(say func(probe.Event)) {
	say(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventListening})
	for ms := 50.0; ms < 6000; ms += 50 {
		say(levelEvent(probe.Level{RMSDBFS: -120, PeakDBFS: -120, ZeroMS: ms}))
	}
	rs := healthy()
	muted(rs)
	rs[0].Status = report.StatusFail
	say(doneEvent(rs[0]))
}

func TestPlainTranscripts(t *testing.T) {
	three := func(context.Context) ([]Microphone, error) {
		return []Microphone{{Name: "Webcam"}, {Name: "Jabra \x1b[31mEvolve", IsDefault: true}, {Name: "Monitor of X", IsMonitor: true}, {Name: "Internes Mikrofon"}}, nil
	}
	silent := func(o *Options) { o.Interactive, o.In = false, nil }
	for name, tc := range map[string]struct {
		in   string
		with func(*Options)
		r    func([]report.Result)
		play script
	}{
		"ready":      {"\n\n", nil, nil, goodVoice},
		"muted":      {"ja\n\nd\n", nil, muted, silentMicrophone},
		"lossy":      {"", silent, lossy, goodVoice},
		"unmeasured": {"", func(o *Options) { silent(o); o.Consent = Consent{NoAudio: true}; o.Deliver = nil }, unmeasured, nil},
		"agreed":     {"", func(o *Options) { o.Agreed = true }, nil, nil},
		"choose":     {"\n7\nx\n3\n\n", func(o *Options) { o.Devices = three }, nil, nil},
	} {
		for _, lang := range phrase.Langs() {
			t.Run(fmt.Sprintf("%s/%s", lang, name), func(t *testing.T) {
				out, r, err := recital(t, lang, tc.in, tc.with, finished(t, tc.r), tc.play)
				if err != nil || r == nil {
					t.Errorf("got report %v, error %v; want non-nil", r, err)
				}
				if strings.ContainsAny(out, "\x1b\r\b‹") {
					t.Errorf("got an escape sequence or a missing text:\n%q", out)
				}
				golden(t, fmt.Sprintf("%s/plain_%s", lang, name), out)
			})
		}
	}
}

func TestPlainFailure(t *testing.T) {
	out, r, err := recital(t, phrase.DE, "\n", nil, nil, nil)
	var failed *FailedError
	if r != nil || !errors.As(err, &failed) || !strings.Contains(out, "Die Prüfung konnte nicht stattfinden.") {
		t.Errorf("got %v, error %v; want nil, a FailedError\n%s", r, err, out)
	}
}

func TestPlainRefusal(t *testing.T) {
	for _, in := range []string{"nein\n", "no\n", "?\n", ""} {
		checked := false
		out, _, err := recital(t, phrase.DE, in, func(o *Options) {
			o.Check = func(context.Context, Choices, func(probe.Event)) (*report.Report, error) {
				checked = true
				return nil, nil
			}
		}, nil, nil)
		if !errors.Is(err, ErrQuit) || checked || !strings.Contains(out, "nichts geprüft") {
			t.Errorf("%q: got error %v, checked %v; want %v, false", in, err, checked, ErrQuit)
		}
	}
}

func TestPlainPassesTheChosenMicrophone(t *testing.T) {
	for in, want := range map[string]string{"\n\n": "", "\n2\n": "", "\n1\n": "Webcam", "\n": ""} {
		var got string
		_, _, err := recital(t, phrase.EN, in, func(o *Options) {
			o.Devices = func(context.Context) ([]Microphone, error) {
				return []Microphone{{Name: "Webcam"}, {Name: "Headset", IsDefault: true}}, nil
			}
			o.Check = func(_ context.Context, c Choices, _ func(probe.Event)) (*report.Report, error) {
				got = c.Device
				return finished(t, nil), nil
			}
		}, nil, nil)
		if err != nil || got != want {
			t.Errorf("%q: got %q, error %v; want %q", in, got, err, want)
		}
	}
}

// TestPlainDoesNotWaitForASilentInput: reading from a terminal cannot be cancelled,
// but the program must end.
func TestPlainDoesNotWaitForASilentInput(t *testing.T) {
	in, hold := io.Pipe()
	defer hold.Close()
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := Run(ctx, Options{Lang: phrase.DE, Plain: true, In: in, Out: watch{"Die Eingabetaste", asked}, Interactive: true})
		done <- err
	}()
	<-asked
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the program waits for input")
	}
}

// watch closes seen when text is written.
type watch struct {
	text string
	seen chan struct{}
}

func (w watch) Write(b []byte) (int, error) {
	if strings.Contains(string(b), w.text) {
		close(w.seen)
	}
	return len(b), nil
}
