package tui

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// scene is one screen, reached with the keys that a person presses.
type scene struct {
	name string
	with func(*Options)
	play func(*testing.T, *stand)
}

// scenes contains every screen of the program.
var scenes = []scene{
	{"welcome", nil, func(*testing.T, *stand) {}},
	{"welcome_no_audio", func(o *Options) { o.Consent.NoAudio = true }, func(*testing.T, *stand) {}},
	{"welcome_not_enrolled", func(o *Options) { o.Consent.Recipient = "" }, func(*testing.T, *stand) {}},
	{"welcome_declined", func(o *Options) { o.Consent.Declined = true }, func(*testing.T, *stand) {}},
	{"welcome_speaker", func(o *Options) {
		o.OffersSpeaker, o.Consent.Others, o.PlayBack = true, true, func(context.Context) error { return nil }
	}, func(_ *testing.T, s *stand) { s.press("l") }},
	{"enrol", offersEnrolment, func(*testing.T, *stand) {}},
	{"enrol_code", offersEnrolment, func(_ *testing.T, s *stand) { s.press("k7p3-qx9a-2m4b") }},
	{"enrol_link", offersEnrolment, func(_ *testing.T, s *stand) { s.paste(invitationLink) }},
	{"enrol_address", offersEnrolment, func(_ *testing.T, s *stand) {
		s.press("k7p3-qx9a-2m4b", "enter").send(enrolledMsg{err: ErrNoAddress}).press("tonprobe.musterstadt.de")
	}},
	{"enrol_wrong", offersEnrolment, func(_ *testing.T, s *stand) {
		s.press("k7p3-qx9a-2m4c", "enter").send(enrolledMsg{err: errWrongCode})
	}},
	{"enrol_done", offersEnrolment, func(_ *testing.T, s *stand) {
		s.press("k7p3-qx9a-2m4b", "enter").send(enrolledMsg{as: Enrolled{Recipient: "tonprobe.musterstadt.de", Participant: "Anna Beispiel"}})
	}},
	{"phone", func(o *Options) { o.Phone = func() string { return "0228 5550100" } }, func(t *testing.T, s *stand) {
		s.answered(finished(t, muted), DeliverySent)
	}},
	{"settings", func(o *Options) { o.SoundSettings = func(context.Context) error { return nil } }, func(t *testing.T, s *stand) {
		s.answered(finished(t, muted), DeliverySent)
	}},
	{"request", requesting, func(t *testing.T, s *stand) {
		s.answered(finished(t, muted), DeliverySent)
		s.send(requestMsg{new(support).request(true, false)})
	}},
	{"request_line", requesting, func(t *testing.T, s *stand) {
		s.answered(finished(t, muted), DeliverySent)
		s.send(requestMsg{new(support).request(false, false)})
	}},
	{"withdrawn", requesting, func(t *testing.T, s *stand) {
		s.answered(finished(t, muted), DeliverySent)
		s.send(requestMsg{new(support).request(true, false)}).consider().press("j").send(overMsg{1})
	}},
	{"hearing", func(o *Options) { o.OffersSpeaker, o.Speaker = true, true }, func(_ *testing.T, s *stand) {
		s.press("enter").begun().send(toneMsg{0})
	}},
	{"devices", nil, func(_ *testing.T, s *stand) {
		s.send(devicesMsg{[]Microphone{
			{Name: "Monitor of Built-in Audio", IsMonitor: true}, {Name: "HD Webcam C270"},
			{Name: "Jabra Evolve2 65", IsDefault: true, IsBluetooth: true}, {Name: "Internes Mikrofon"},
		}}).press("enter")
	}},
	{"searching", nil, func(_ *testing.T, s *stand) {
		s.looking = true
		s.press("enter")
	}},
	{"opening", nil, func(_ *testing.T, s *stand) { s.press("enter").begun() }},
	{"speaking", nil, func(_ *testing.T, s *stand) {
		rs := healthy()
		s.press("enter").begun().event(0, probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventListening})
		s.event(0, doneEvent(rs[1])).event(0, doneEvent(rs[3])).speak(2*time.Second, -27, -14).speak(200*time.Millisecond, -40, -24)
	}},
	{"too_quiet", nil, func(_ *testing.T, s *stand) {
		s.press("enter").begun().speak(3*time.Second, -46, -35)
	}},
	{"too_loud", nil, func(_ *testing.T, s *stand) {
		s.press("enter").begun().speak(3*time.Second, -8, -0.2)
	}},
	{"no_sound", nil, func(_ *testing.T, s *stand) {
		s.press("enter").begun()
		for ms := 50.0; ms <= 1500; ms += 50 {
			s.event(50*time.Millisecond, levelEvent(probe.Level{RMSDBFS: -120, PeakDBFS: -120, ZeroMS: ms, MissingMS: 4500}))
		}
	}},
	{"muted_live", nil, func(_ *testing.T, s *stand) {
		s.press("enter").begun().speak(time.Second, -27, -14)
		s.event(0, probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventMuted, Muted: true})
	}},
	{"live_noise", nil, func(_ *testing.T, s *stand) {
		s.press("enter").begun().speak(3*time.Second, -27, -14).agree(noisy)
	}},
	{"live_long", nil, func(_ *testing.T, s *stand) { // more words than any other screen
		s.press("enter").begun().speak(3*time.Second, -46, -35).agree(turnedDown)
	}},
	{"live_no_speech", nil, func(_ *testing.T, s *stand) {
		s.press("enter").begun().event(0, levelEvent(probe.Level{RMSDBFS: -60, PeakDBFS: -50, MissingMS: 4500})).agree(unspoken)
	}},
	{"live_finished", nil, func(_ *testing.T, s *stand) {
		rs := healthy()
		noisy(rs[0].Data.(*report.AudioInput))
		s.press("enter").begun().speak(6*time.Second, -27, -14).event(0, doneEvent(rs[0]))
	}},
	{"live_stalled", nil, func(_ *testing.T, s *stand) {
		rs := healthy()
		rs[0].Status = report.StatusFail
		rs[0].Data.(*report.AudioInput).State = report.CaptureStalled
		s.press("enter").begun().speak(2*time.Second, -27, -14).event(0, doneEvent(rs[0]))
	}},
	{"elsewhere", nil, func(_ *testing.T, s *stand) {
		s.send(devicesMsg{[]Microphone{{Name: "HD Webcam C270", IsDefault: true}, {Name: "Jabra Evolve2 65"}}})
		s.press("enter", "enter").begun().speak(3*time.Second, -46, -35).event(0, elsewhereEvent())
	}},
	{"tone", func(o *Options) { o.OffersSpeaker, o.Speaker = true, true }, func(_ *testing.T, s *stand) {
		s.press("enter").begun().event(0, probe.Event{Probe: report.ProbeAudioOutput, Kind: probe.EventStarted})
		s.speak(6*time.Second, -27, -14).event(0, doneEvent(healthy()[0]))
	}},
	{"judged", nil, func(_ *testing.T, s *stand) {
		s.press("enter").begun().speak(3*time.Second, -27, -14)
		rs := healthy()
		lossy(rs)
		for _, r := range rs {
			s.event(0, doneEvent(r))
		}
	}},
	{"checking_no_audio", func(o *Options) { o.Consent.NoAudio = true }, func(_ *testing.T, s *stand) {
		rs := healthy()
		unmeasured(rs)
		s.press("enter").begun().event(0, doneEvent(rs[0])).event(time.Second, doneEvent(rs[1]))
	}},
	{"ready", nil, func(t *testing.T, s *stand) { s.answered(finished(t, nil), DeliverySent) }},
	{"muted", nil, func(t *testing.T, s *stand) { s.answered(finished(t, muted), DeliveryWaiting) }},
	{"lossy", nil, func(t *testing.T, s *stand) { s.answered(finished(t, lossy), DeliverySent) }},
	{"unmeasured", nil, func(t *testing.T, s *stand) { s.answered(finished(t, unmeasured), DeliveryNotEnrolled) }},
	{"wrong_device", nil, func(t *testing.T, s *stand) {
		s.send(devicesMsg{[]Microphone{{Name: "HD Webcam C270", IsDefault: true}, {Name: "Jabra Evolve2 65"}}})
		s.press("enter", "enter").event(0, elsewhereEvent())
		r := wrongMicrophone(t)
		s.send(checkedMsg{number: 0, report: r}, deliveredMsg{r.ID, DeliverySent})
	}},
	{"replay_kept", func(o *Options) { o.PlayBack = func(context.Context) error { return nil } },
		func(t *testing.T, s *stand) { s.answered(finished(t, nil), DeliverySent) }},
	{"replay_playing", func(o *Options) { o.PlayBack = func(context.Context) error { return nil } },
		func(t *testing.T, s *stand) { s.answered(finished(t, lossy), DeliverySent).press("p") }},
	{"tone_heard", nil, func(t *testing.T, s *stand) {
		r := finished(t, nil)
		r.Probes = append(r.Probes, tone(true))
		s.answered(r, DeliverySent)
	}},
	{"details", nil, func(t *testing.T, s *stand) { s.answered(finished(t, muted), DeliverySent).press("d") }},
	{"details_scrolled", nil, func(t *testing.T, s *stand) {
		s.answered(finished(t, unmeasured), DeliverySent).press("d", "down", "down", "down")
	}},
	{"failed", nil, func(_ *testing.T, s *stand) {
		s.press("enter").send(checkedMsg{number: 0, err: errors.New("read profile: no such profile")})
	}},
}

// TestScreens compares each scene in each language with a golden file, at the
// default size of a terminal. The layout tests cover other sizes without golden
// files.
func TestScreens(t *testing.T) {
	for _, scene := range scenes {
		for _, lang := range phrase.Langs() {
			drawScene(t, fmt.Sprintf("%s/%s", lang, scene.name), lang, false, scene)
		}
		if scene.name == "speaking" || scene.name == "muted" {
			drawScene(t, fmt.Sprintf("%s/%s_color", phrase.DE, scene.name), phrase.DE, true, scene)
		}
	}
}

func drawScene(t *testing.T, name string, lang phrase.Lang, color bool, sc scene) {
	t.Run(name, func(t *testing.T) {
		s := newStand(t, lang, color, sc.with)
		s.size(80, 24)
		sc.play(t, s)
		golden(t, name, s.View())
	})
}
