package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/words"
)

const (
	localVoice  = "Annas Mikro"
	localDevice = "Opas Kopfhörer"
)

// named runs a check with devices that are named after people.
func named(r *report.Report) func(context.Context, Choices, func(probe.Event)) (*report.Report, error) {
	return func(_ context.Context, _ Choices, progress func(probe.Event)) (*report.Report, error) {
		progress(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventDeviceNames, Names: map[string]string{
			"voice_device": localVoice, "device": localDevice,
		}})
		return r, nil
	}
}

// TestLocalNamesStayOnTheScreen: the screen shows the names from the system's settings; the
// returned, delivered and written reports do not contain them.
func TestLocalNamesStayOnTheScreen(t *testing.T) {
	r := wrongMicrophone(t)
	r.Causes[0].Evidence = []report.Evidence{{Probe: report.ProbeAudioInput, Field: "voice_device", Value: "Microphone"}}
	before, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var delivered *report.Report
	deliver := func(_ context.Context, r *report.Report) Delivery { delivered = r; return DeliverySent }
	kept := func(name string, got *report.Report) {
		t.Helper()
		if after, err := json.Marshal(got); err != nil || !bytes.Equal(after, before) {
			t.Errorf("%s: got error %v: %s, want %s", name, err, after, before)
		}
	}

	var out bytes.Buffer
	got, err := Run(t.Context(), Options{Out: &out, Plain: true, Lang: phrase.DE, Agreed: true, Check: named(r), Deliver: deliver})
	if err != nil {
		t.Fatal(err)
	}
	kept("plain, returned", got)
	kept("plain, delivered", delivered)
	if !strings.Contains(out.String(), "„"+localVoice+"“") {
		t.Errorf("the output does not name the microphone:\n%s", &out)
	}

	s := newStand(t, phrase.DE, true, func(o *Options) { o.Check = named(r); o.Deliver = deliver })
	s.press("enter")
	c, run := s.desk.check(s.rounds-1, Choices{}, nil)
	msg := run()
	if len(c.events) != 0 {
		t.Errorf("%d events are waiting, want none", len(c.events))
	}
	s.send(msg).at(t, answering)
	if screen := s.View(); !strings.Contains(screen, localVoice) {
		t.Errorf("the screen has no name:\n%s", screen)
	}
	got, err = s.outcome(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kept("screen, returned", got)

	w, err := words.In(phrase.DE)
	if err != nil {
		t.Fatal(err)
	}
	var details []string
	for _, section := range w.Found(s.verdict.Report) {
		details = append(details, section.Lines...)
	}
	if all := strings.Join(details, "\n"); !strings.Contains(all, localVoice) {
		t.Errorf("got details %s; want it to contain %q", all, localVoice)
	}
	if in := report.Find[report.AudioInput](s.verdict.Report); in.Device != localDevice {
		t.Errorf("got microphone %q in the screen's copy, want %q", in.Device, localDevice)
	}
}
