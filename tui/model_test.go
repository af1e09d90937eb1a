package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/meter"
)

var twoMicrophones = devicesMsg{[]Microphone{{Name: "Webcam"}, {Name: "Headset", IsDefault: true}}}

func (s *stand) at(t *testing.T, want stage) *stand {
	t.Helper()
	if s.stage != want {
		t.Fatalf("got stage %d, want %d:\n%s", s.stage, want, s.View())
	}
	return s
}

func quits(cmd tea.Cmd) bool {
	if cmd == nil {
		return false
	}
	_, yes := cmd().(tea.QuitMsg)
	return yes
}

func TestOnlyEnterStarts(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil)
	s.press("x", " ", "r", "d", "up", "down", "esc").at(t, welcoming)
	s.press("enter").at(t, checking)
}

func TestQuitWorksEverywhere(t *testing.T) {
	for _, name := range []string{"q", "Q", "ctrl+c"} {
		for _, scene := range scenes {
			s := newStand(t, phrase.DE, true, scene.with)
			scene.play(t, s)
			if s.stage == enrolling && name != "ctrl+c" {
				continue // a letter of the code
			}
			if s.press(name); !quits(s.last) {
				t.Errorf("%s does not quit in %s", name, scene.name)
			}
		}
	}
}

func TestChoiceOnlyWithSeveralMicrophones(t *testing.T) {
	for name, all := range map[string][]Microphone{
		"none": nil, "one": {{Name: "Headset"}}, "one and a monitor": {{Name: "Headset"}, {Name: "Monitor of Headset", IsMonitor: true}},
	} {
		s := newStand(t, phrase.DE, true, nil).send(devicesMsg{all}).press("enter")
		if s.stage != checking {
			t.Errorf("%s: got a question", name)
		}
	}
	newStand(t, phrase.DE, true, nil).send(twoMicrophones).press("enter").at(t, choosing)
}

func TestDefaultIsPreselectedAndPassedAsDefault(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).send(twoMicrophones).press("enter").at(t, choosing)
	if got := s.devices.Chosen().Name; got != "Headset" {
		t.Errorf("got %q as the preselection, want %q", got, "Headset")
	}
	if s.press("down", "down", "enter").at(t, checking); s.choices.Device != "" {
		t.Errorf("the default microphone is passed as %q, want no name", s.choices.Device)
	}
	s = newStand(t, phrase.DE, true, nil).send(twoMicrophones).press("enter", "up", "up", "enter").at(t, checking)
	if s.choices.Device != "Webcam" {
		t.Errorf("got choice %q, want %q", s.choices.Device, "Webcam")
	}
}

func TestEarlyEnterWaitsForTheMicrophones(t *testing.T) {
	s := newStand(t, phrase.DE, true, func(o *Options) {
		o.Devices = func(context.Context) ([]Microphone, error) { return twoMicrophones.all, nil }
	})
	var cmd tea.Cmd
	s.model, cmd = s.begin()
	s.press("enter").at(t, searching).send(cmd()).at(t, choosing)
	s = newStand(t, phrase.DE, true, func(o *Options) {
		o.Devices = func(context.Context) ([]Microphone, error) { return nil, errors.New("no sound system") }
	})
	s.model, cmd = s.begin()
	s.press("enter", "enter").at(t, searching).send(cmd()).at(t, checking)
}

func TestLateDevicesDoNotDisturb(t *testing.T) {
	newStand(t, phrase.DE, true, nil).press("enter").send(twoMicrophones).at(t, checking)
}

func TestAgreedStartsAtOnce(t *testing.T) {
	s := newStand(t, phrase.DE, true, func(o *Options) { o.Agreed = true })
	m, cmd := s.begin()
	if m.stage != checking || cmd == nil {
		t.Errorf("got stage %d, want %d", m.stage, checking)
	}
}

func TestDetailsAndBack(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).answered(finished(t, muted), DeliverySent)
	s.press("d").at(t, detailing).press("d").at(t, answering)
	s.press("D").at(t, detailing).press("esc").at(t, answering)
}

func TestRepeatShowsAnotherTextAndNoOldResults(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil)
	s.press("enter")
	first := s.checking.TextKey()
	old := finished(t, nil)
	s.send(checkedMsg{number: 0, report: old}).at(t, answering).press("r").at(t, checking)
	if s.checking.TextKey() == first {
		t.Error("got the same text again, want another one")
	}
	s.send(checkedMsg{number: 0, report: old}, eventMsg{0, doneEvent(healthy()[0])}).at(t, checking)
	fresh := finished(t, muted)
	s.send(checkedMsg{number: 1, report: fresh}).at(t, answering)
	if s.verdict.Report != fresh {
		t.Error("got an old report, want the report of the second check")
	}
	s.press("d").press("r").at(t, checking)
}

func TestRepeatIsNotTakenWhileChecking(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).press("enter", "r", "R").at(t, checking)
	if s.rounds != 1 {
		t.Errorf("got %d checks, want 1", s.rounds)
	}
}

func TestKeysTypedFastArriveTogether(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).answered(finished(t, nil), DeliverySent)
	s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("ddr")}).at(t, checking)
	s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("xq")})
	if s.running != nil {
		t.Error("q was lost")
	}
}

func TestPastedTextIsNotAKeyPress(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).answered(finished(t, nil), DeliverySent)
	s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("dr"), Paste: true}).at(t, answering)
}

func TestDeliveryOfAnOldReportIsNotShown(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).answered(finished(t, nil), "")
	s.send(deliveredMsg{"another id", DeliverySent})
	if s.verdict.Delivery == DeliverySent {
		t.Error("got the delivery of another report")
	}
}

func TestResizeIsLive(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).answered(finished(t, muted), DeliverySent)
	wide := s.size(120, 40).View()
	narrow := s.size(50, 20).View()
	if wide == narrow || !strings.Contains(wide, "██  ") {
		t.Error("the view does not use the new size")
	}
	s.press("d").size(80, 24).size(0, 0).size(-1, -1)
	checkLayout(t, s, "details")
}

func TestOutcome(t *testing.T) {
	ctx := t.Context()
	s := newStand(t, phrase.DE, true, nil)
	if _, err := s.outcome(ctx); !errors.Is(err, ErrQuit) {
		t.Errorf("quit at once: got error %v, want %v", err, ErrQuit)
	}
	r := finished(t, nil)
	s.answered(r, DeliverySent).press("r", "q")
	if got, err := s.outcome(ctx); got != r || err != nil {
		t.Errorf("quit in the second check: got %v, error %v; want the first report", got, err)
	}
	s = newStand(t, phrase.DE, true, nil).press("enter").send(checkedMsg{number: 0, err: errors.New("broken")})
	var failed *FailedError
	if _, err := s.outcome(ctx); !errors.As(err, &failed) || failed.Err.Error() != "broken" {
		t.Errorf("failed check: got error %v, want a *FailedError with %q", err, "broken")
	}
	s = newStand(t, phrase.DE, true, nil).press("enter").send(checkedMsg{number: 0})
	if _, err := s.outcome(ctx); !errors.Is(err, errInternal) {
		t.Errorf("no report and no error: got error %v, want %v", err, errInternal)
	}
}

func TestQuitCancelsTheCheck(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).press("enter")
	over := s.running.over
	s.press("q").send(checkedMsg{number: 0, err: context.Canceled})
	if _, err := s.outcome(t.Context()); !errors.Is(err, ErrQuit) {
		t.Errorf("got error %v, want %v", err, ErrQuit)
	}
	select {
	case <-over:
	default:
		t.Error("the check continues")
	}
}

func TestPanicShowsNoStack(t *testing.T) {
	o := Options{Check: func(context.Context, Choices, func(probe.Event)) (*report.Report, error) { panic("secret") }}.withDefaults()
	d := newDesk(t.Context(), o)
	_, run := d.check(0, Choices{}, nil)
	if msg := run().(checkedMsg); !errors.Is(msg.err, errInternal) || strings.Contains(msg.err.Error(), "secret") {
		t.Errorf("got error %v, want %v without details", msg.err, errInternal)
	}
	s := safe{model: newStand(t, phrase.DE, true, nil).model, log: o.Log}
	s.desk, s.running = nil, &check{} // so that the next event causes a panic
	next, cmd := s.Update(eventMsg{})
	if next.(safe).fail == nil || !quits(cmd) {
		t.Error("a panic was not caught")
	}
}

func TestProgressNeverBlocks(t *testing.T) {
	c := &check{events: make(chan probe.Event, backlog)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10 * backlog {
			c.pass(levelEvent(probe.Level{}))
		}
		c.pass(doneEvent(healthy()[0]))
		for range 10 * backlog {
			c.pass(probe.Event{Kind: probe.EventProgress})
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the sender is blocked")
	}
	for len(c.events) > 0 {
		if e := <-c.events; e.Kind == probe.EventDone {
			return
		}
	}
	t.Error("a level removed the result")
}

func TestCloseWaitsForTasks(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := &desk{ctx: ctx}
	started, ended := make(chan struct{}), make(chan struct{})
	task := d.work(func() tea.Msg {
		close(started)
		<-ctx.Done()
		close(ended)
		return nil
	})
	go task()
	<-started
	if d.close(time.Millisecond) {
		t.Error("did not wait for the task")
	}
	cancel()
	if !d.close(10 * time.Second) {
		t.Error("the wait does not end")
	}
	<-ended
	if msg := d.work(func() tea.Msg { return 1 })(); msg != nil {
		t.Error("a task started after the end")
	}
}

func TestHintsFollowTheVoice(t *testing.T) {
	for scene, want := range map[string]meter.Advice{
		"opening": meter.Opening, "speaking": meter.Good, "too_quiet": meter.Louder, "too_loud": meter.Softer, "no_sound": meter.NoSound,
	} {
		for _, sc := range scenes {
			if sc.name == scene {
				s := newStand(t, phrase.DE, true, sc.with)
				sc.play(t, s)
				if got := s.checking.Advice(); got != want {
					t.Errorf("%s: got %s, want %s", scene, got, want)
				}
			}
		}
	}
}

func TestFailedMicrophoneIsNotShownAsGood(t *testing.T) {
	rs := healthy()
	for status, want := range map[report.Status]meter.Advice{
		report.StatusOK: meter.Finished, report.StatusUnknown: meter.NoMicrophone, report.StatusSkipped: meter.NoMicrophone,
	} {
		s := newStand(t, phrase.DE, true, nil).press("enter").begun()
		rs[0].Status = status
		s.event(time.Second, doneEvent(rs[0]))
		if got := s.checking.Advice(); got != want {
			t.Errorf("%s: got %s, want %s", status, got, want)
		}
	}
}
