package tui

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/style"
	"github.com/tonprobe/tonprobe/tui/words"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// clock is a clock that a test advances.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// healthy returns the results of a line and a microphone without faults.
func healthy() []report.Result {
	return []report.Result{
		{Name: report.ProbeAudioInput, Version: 1, Status: report.StatusOK, StartedAt: noon, DurationMS: 7400, Data: &report.AudioInput{
			State: report.CaptureComplete, Device: "Headset", Backend: "pulse", Microphones: new(1), NativeRateHz: new(48000),
			NativeChannels: new(1), IsDefault: new(true), IsMonitor: new(false), IsBluetooth: new(false), OSMuted: new(false),
			OSVolumeDB: new(-3.5), CapturedMS: new(6000.0), SpeechMS: new(4600.0), ActiveLevelDBFS: new(-25.5), ActivityPct: new(82.0),
			RMSDBFS: new(-26.4), PeakDBFS: new(-9.8), NoiseFloorDBFS: new(-66.0), SNRDB: new(40.5), ClippedRuns: new(0),
			ClippedPct: new(0.0), DigitalZeroMS: new(0.0), AllZero: new(false),
		}},
		{Name: report.ProbeNAT, Version: 1, Status: report.StatusOK, StartedAt: noon, DurationMS: 30, Data: &report.NAT{
			UDP: report.ReachOpen, TCP: report.ReachOpen, UDPRTTMS: new(18.2), TCPRTTMS: new(19.1)}},
		{Name: report.ProbeMediaVoice, Version: 1, Status: report.StatusOK, StartedAt: noon, DurationMS: 7000, Data: &report.MediaVoice{
			State: report.MediaComplete, Path: "srflx udp", Sent: new(300), UpReceived: new(300), DownSent: new(300), DownReceived: new(300),
			UpLossPct: new(0.0), DownLossPct: new(0.0), UpLossCI95: &report.Interval{0, 1.26}, DownLossCI95: &report.Interval{0, 1.26},
			UpJitterMS: new(1.2), DownJitterMS: new(0.9), RTTP50MS: new(21.5), RTTP95MS: new(27.0), MOS: new(4.3), SelfCheck: "ok"}},
		{Name: report.ProbeNetworkWeb, Version: 1, Status: report.StatusOK, StartedAt: noon, DurationMS: 120, Data: &report.NetworkWeb{
			Stage: "http", Online: new(true), DNSMS: new(12.0), TCPMS: new(20.0), TLSMS: new(41.0), HTTPMS: new(38.5), HTTPStatus: new(200),
			ServerHealthy: new(true), Proxy: "none", ClockOffsetMS: new(-120.0), ClockUncertaintyMS: new(20.0)}},
	}
}

// finished returns a diagnosed report of the results, modified by with.
func finished(t testing.TB, with func([]report.Result)) *report.Report {
	t.Helper()
	results := healthy()
	if with != nil {
		with(results)
	}
	r := &report.Report{
		Schema: report.SchemaV1, ID: "0195a000-0000-7000-8000-000000000001", Case: "K7P-3QX", Trigger: report.TriggerCheck,
		StartedAt: noon, DurationMS: 9400, FirstVerdictMS: 180, Verdict: report.Unknown, Probes: results, Causes: []report.Cause{},
	}
	diagnose.Finish(r, defaultProfile(t))
	return r
}

func defaultProfile(t testing.TB) diagnose.Profile {
	t.Helper()
	p, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func muted(rs []report.Result) {
	in := rs[0].Data.(*report.AudioInput)
	in.OSMuted, in.ActiveLevelDBFS, in.PeakDBFS, in.SpeechMS = new(true), new(-100.0), new(-120.0), new(0.0)
	in.AllZero, in.DigitalZeroMS, in.RMSDBFS, in.SNRDB, in.NoiseFloorDBFS = new(true), new(6000.0), new(-120.0), nil, nil
}

func lossy(rs []report.Result) {
	v := rs[2].Data.(*report.MediaVoice)
	v.UpReceived, v.UpLossPct, v.UpLossCI95 = new(279), new(7.0), &report.Interval{4.6, 10.4}
}

// wrongMicrophone returns a report for a microphone that should be replaced by
// another one.
func wrongMicrophone(t testing.TB) *report.Report {
	r := finished(t, nil)
	r.Verdict = report.NotReady
	r.Causes = []report.Cause{{Code: "audio.wrong_device", Severity: report.SeverityFail, Confidence: 0.9, Primary: true, Area: report.AreaParticipant}}
	return r
}

// elsewhereEvent reports that the headset receives the voice, but the chosen
// microphone does not.
func elsewhereEvent() probe.Event {
	return probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventVoiceElsewhere, Device: "jabra-id", DeviceName: "Jabra Evolve2 65"}
}

// tone returns the result of the loudspeaker test.
func tone(heard bool) report.Result {
	return report.Result{Name: report.ProbeAudioOutput, Version: 1, Status: report.StatusOK, StartedAt: noon, DurationMS: 2100,
		Data: &report.AudioOutput{Device: "Lautsprecher", OSMuted: new(false), LoopHeard: new(heard), LoopDelayMS: new(61.0)}}
}

func unmeasured(rs []report.Result) {
	rs[0].Status, rs[0].Error, rs[0].Data = report.StatusSkipped, "the microphone was omitted on request", nil
	rs[1].Status, rs[1].Error, rs[1].Data = report.StatusUnknown, "not enrolled, no server to measure against", nil
	rs[2].Status, rs[2].Error, rs[2].Data = report.StatusUnknown, "not enrolled", &report.MediaVoice{State: report.MediaNotEnrolled}
}

// stand is a screen with a simulated person, without a terminal.
type stand struct {
	spoken time.Duration // so far
	model
	clock *clock
	last  tea.Cmd
}

func newStand(t testing.TB, lang phrase.Lang, color bool, with func(*Options)) *stand {
	t.Helper()
	w, err := words.In(lang)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{noon}
	o := Options{
		Lang: lang, Color: color, Now: c.Now, Consent: Consent{Recipient: "tonprobe.musterstadt.de"},
		Check: func(context.Context, Choices, func(probe.Event)) (*report.Report, error) {
			return nil, context.Canceled
		},
	}
	if with != nil {
		with(&o)
	}
	o = o.withDefaults()
	d := newDesk(t.Context(), o)
	m := newModel(d, w, style.New(termenv.TrueColor, color), defaultProfile(t))
	return &stand{model: m, clock: c}
}

// send passes messages to the screen.
func (s *stand) send(msgs ...tea.Msg) *stand {
	for _, msg := range msgs {
		s.model, s.last = s.model.update(msg)
	}
	return s
}

func (s *stand) size(width, height int) *stand {
	return s.send(tea.WindowSizeMsg{Width: width, Height: height})
}

// press presses keys by name.
func (s *stand) press(names ...string) *stand {
	for _, name := range names {
		msg := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
		switch name {
		case "enter":
			msg = tea.KeyMsg{Type: tea.KeyEnter}
		case "up":
			msg = tea.KeyMsg{Type: tea.KeyUp}
		case "down":
			msg = tea.KeyMsg{Type: tea.KeyDown}
		case "esc":
			msg = tea.KeyMsg{Type: tea.KeyEsc}
		case "backspace":
			msg = tea.KeyMsg{Type: tea.KeyBackspace}
		case "ctrl+c":
			msg = tea.KeyMsg{Type: tea.KeyCtrlC}
		}
		s.send(msg)
	}
	return s
}

// event passes an event of the running check after a delay.
func (s *stand) event(after time.Duration, e probe.Event) *stand {
	s.clock.now = s.clock.now.Add(after)
	return s.send(eventMsg{s.rounds - 1, e})
}

// speak simulates a voice with a given level, 20 readings per second.
func (s *stand) speak(for_ time.Duration, rms, peak float64) *stand {
	const reading = 50 * time.Millisecond
	for range int(for_ / reading) {
		s.spoken += reading
		missing := max(0, 4500*time.Millisecond-s.spoken)
		s.event(reading, levelEvent(probe.Level{RMSDBFS: rms, PeakDBFS: peak, Speech: true, MissingMS: float64(missing.Milliseconds())}))
	}
	return s
}

// look passes the preliminary data of a microphone, modified by with.
func (s *stand) look(with func(*report.AudioInput)) *stand {
	return s.event(0, lookEvent(with))
}

func lookEvent(with func(*report.AudioInput)) probe.Event {
	r := healthy()[0]
	with(r.Data.(*report.AudioInput))
	return probe.Event{Probe: r.Name, Kind: probe.EventPartial, Result: &r}
}

// agree passes as many looks as are needed to report a cause (diagnose.Live), or to
// withdraw it.
func (s *stand) agree(with func(*report.AudioInput)) *stand {
	return s.look(with).look(with).look(with)
}

func unchanged(*report.AudioInput) {}

func noisy(in *report.AudioInput) { in.SNRDB, in.NoiseFloorDBFS = new(7.0), new(-32.5) }

func turnedDown(in *report.AudioInput) {
	in.OSVolumeDB, in.ActiveLevelDBFS, in.RMSDBFS = new(-38.0), new(-60.0), new(-62.0)
}

func unspoken(in *report.AudioInput) { in.SpeechMS = new(0.0) }

func levelEvent(l probe.Level) probe.Event {
	return probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventLevel, Level: l}
}

func doneEvent(r report.Result) probe.Event {
	return probe.Event{Probe: r.Name, Kind: probe.EventDone, Result: &r}
}

// begun starts the probes of a check.
func (s *stand) begun() *stand {
	for _, r := range healthy() {
		s.event(0, probe.Event{Probe: r.Name, Kind: probe.EventStarted})
	}
	return s
}

// answered shows the verdict of r.
func (s *stand) answered(r *report.Report, d Delivery) *stand {
	s.press("enter").send(checkedMsg{number: s.rounds - 1, report: r})
	return s.send(deliveredMsg{r.ID, d})
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	goldenFile(t, filepath.Join("testdata", name+".txt"), text)
}

func goldenFile(t *testing.T, path, text string) {
	t.Helper()
	text = strings.TrimRight(text, "\n") + "\n"
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./tui -update writes it)", err)
	}
	if string(want) != text {
		t.Errorf("%s differs (go test ./tui -update accepts it). Got:\n%s\nWant:\n%s", path, text, want)
	}
}
