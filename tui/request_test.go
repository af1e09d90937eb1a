package tui

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/words"
)

// support is phone support's side of a request.
type support struct {
	over     chan struct{}
	answers  []Answer
	told     int
	finished []*report.Report
}

func (s *support) request(audio, agreed bool) Request {
	s.over = make(chan struct{})
	return Request{By: "Frau Weber", Audio: audio, Agreed: agreed, Over: s.over,
		Answer: func(a Answer) { s.answers = append(s.answers, a) },
		Tell:   func(probe.Event) { s.told++ },
		Finish: func(r *report.Report) { s.finished = append(s.finished, r) }}
}

// wants checks which messages phone support has received.
func (s *support) wants(t *testing.T, a Answer, finished ...*report.Report) {
	t.Helper()
	if len(s.answers) != 1 || s.answers[0] != a || len(s.finished) != len(finished) {
		t.Fatalf("got answers %v, %d reports; want %v, %d", s.answers, len(s.finished), a, len(finished))
	}
	for i, r := range finished {
		if s.finished[i] != r {
			t.Errorf("got report %+v, want %+v", s.finished[i], r)
		}
	}
}

// consider advances the clock by the time in which no answer counts.
func (s *stand) consider() *stand {
	s.clock.now = s.clock.now.Add(considerTime)
	return s
}

func requesting(o *Options) { o.Requests = make(chan Request) }

func TestRequestWithTheMicrophone(t *testing.T) {
	r := finished(t, muted)
	var choices Choices
	s := newStand(t, phrase.DE, true, func(o *Options) {
		requesting(o)
		o.Deliver = func(context.Context, *report.Report) Delivery { return DeliverySent }
		o.Check = func(_ context.Context, c Choices, progress func(probe.Event)) (*report.Report, error) {
			choices = c
			progress(probe.Event{Probe: "nat", Kind: probe.EventStarted})
			progress(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventDeviceNames, Names: map[string]string{"device": "Headset von Anna"}})
			return r, nil
		}
	})
	var help support
	s.answered(finished(t, nil), DeliverySent)
	s.send(requestMsg{help.request(true, false)}).at(t, asked)
	// Nothing but a clear answer counts, and no other key starts a check.
	s.press("enter", "r", " ", "i").at(t, asked)
	s.consider().press("j").at(t, checking)
	help.wants(t, AnswerYes)
	_, run := s.desk.check(s.running.number, Choices{Requested: true}, s.running.tell)
	s.send(run())
	s.at(t, answering)
	if choices.NoAudio || !choices.Requested || help.told != 1 {
		t.Errorf("got choices %+v, %d events; want NoAudio false, Requested true, 1", choices, help.told)
	}
	deliver := s.desk.deliver(r, help.Finish())
	deliver()
	help.wants(t, AnswerYes, r)
	if s.request != nil {
		t.Error("the request is still open")
	}
}

// Finish returns the Finish function of the last request.
func (s *support) Finish() func(*report.Report) { return s.request(true, false).Finish }

func TestRequestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		audio, agreed bool
		keys          []string
		want          Answer
		stage         stage
	}{
		"no":                   {true, false, []string{"n"}, AnswerNo, answering},
		"yes in English":       {true, false, []string{"y"}, AnswerYes, checking},
		"line":                 {false, false, []string{"j"}, AnswerYes, checking},
		"line in advance":      {false, false, []string{"i"}, AnswerAlways, checking},
		"line, agreed":         {false, true, nil, AnswerYes, checking},
		"quit":                 {true, false, []string{"q"}, AnswerNo, answering},
		"quit by control+C":    {true, false, []string{"ctrl+c"}, AnswerNo, answering},
		"audio not in advance": {true, false, []string{"i", "n"}, AnswerNo, answering},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, phrase.DE, true, requesting)
			var help support
			s.answered(finished(t, nil), DeliverySent)
			s.send(requestMsg{help.request(c.audio, c.agreed)})
			if !c.agreed {
				s.consider()
			}
			s.press(c.keys...).at(t, c.stage)
			help.wants(t, c.want)
			if c.stage == checking && s.checking.NoAudio != !c.audio {
				t.Error("the page shows the wrong question")
			}
		})
	}
}

// TestHeldKeyGivesNoConsent: a request may appear while a person holds a key down.
func TestHeldKeyGivesNoConsent(t *testing.T) {
	for _, key := range []string{"j", "n", "i"} {
		s := newStand(t, phrase.DE, true, requesting)
		var help support
		s.answered(finished(t, nil), DeliverySent).press("d").at(t, detailing)
		s.send(requestMsg{help.request(false, false)}).at(t, asked)
		for range 100 { // the repeat begins up to a second after the first press
			s.press(key, "down").at(t, asked)
			s.clock.now = s.clock.now.Add(considerTime - time.Millisecond)
		}
		if len(help.answers) != 0 {
			t.Fatalf("%q held down: got answers %v, want none", key, help.answers)
		}
		s.press(key).consider().press(key)
		if len(help.answers) != 1 {
			t.Errorf("%q is not accepted after a pause", key)
		}
	}
}

// TestLettersDoNotMoveTheSelection: j moves in many programs, but answers yes here.
func TestLettersDoNotMoveTheSelection(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil).send(twoMicrophones).press("enter", "up").at(t, choosing)
	before := s.View()
	if s.press("j", "k"); s.View() != before {
		t.Error("a letter selects another microphone")
	}
	s = newStand(t, phrase.DE, true, nil).size(80, 20).answered(finished(t, muted), DeliverySent).press("d").at(t, detailing)
	top := s.View()
	if s.press("j", "f", "u", "b", "h", "l"); s.View() != top {
		t.Error("a letter scrolls")
	}
	if s.press("down"); s.View() == top {
		t.Error("the arrow does not scroll")
	}
	if s.press("up", " "); s.View() == top {
		t.Error("the space bar does not scroll")
	}
}

// TestRequestAfterAWithdrawnOne: the next request may arrive before the end of the last one.
func TestRequestAfterAWithdrawnOne(t *testing.T) {
	s := newStand(t, phrase.DE, true, requesting)
	var help, second support
	s.send(requestMsg{help.request(true, false)}).at(t, asked)
	close(help.over)
	s.send(requestMsg{second.request(true, false)}).at(t, asked)
	s.send(overMsg{1}).at(t, asked)
	s.consider().press("n").at(t, welcoming)
	second.wants(t, AnswerNo)
	if len(help.answers) != 0 {
		t.Errorf("the withdrawn request was answered: %v", help.answers)
	}
}

func TestRequestDuringOtherThings(t *testing.T) {
	s := newStand(t, phrase.DE, true, requesting)
	var help support
	s.press("enter").at(t, checking)
	s.send(requestMsg{help.request(true, false)}).at(t, checking)
	help.wants(t, AnswerBusy)
	s = newStand(t, phrase.DE, true, requesting)
	help, second := support{}, support{}
	s.send(requestMsg{help.request(true, false)}).at(t, asked)
	s.send(requestMsg{second.request(true, false)}).at(t, asked)
	second.wants(t, AnswerBusy)
	s.send(overMsg{1}).at(t, welcoming)
	if len(help.answers) != 0 {
		t.Errorf("an expired request was answered: %v", help.answers)
	}
}

func TestRequestWithdrawnDuringItsCheck(t *testing.T) {
	s := newStand(t, phrase.DE, true, requesting)
	var help support
	s.answered(finished(t, nil), DeliverySent)
	s.send(requestMsg{help.request(true, false)}).consider().press("j").at(t, checking)
	number := s.running.number
	s.send(overMsg{99}).at(t, checking)
	s.send(overMsg{1}).at(t, answering)
	s.send(checkedMsg{number: number, err: context.Canceled}).at(t, answering)
	if !strings.Contains(s.View(), "hat die neue Prüfung abgebrochen") {
		t.Errorf("the withdrawal is not shown:\n%s", s.View())
	}
	s.press("r").at(t, checking)
}

func TestRequestWhoseCheckFails(t *testing.T) {
	s := newStand(t, phrase.DE, true, requesting)
	var help support
	s.answered(finished(t, nil), DeliverySent)
	s.send(requestMsg{help.request(true, false)}).consider().press("j").at(t, checking)
	s.send(checkedMsg{number: s.running.number, err: errors.New("x")}).at(t, failing)
	help.wants(t, AnswerYes, nil)
	help = support{}
	s.send(requestMsg{help.request(true, false)}).consider().press("j").at(t, checking).press("q")
	help.wants(t, AnswerYes, nil)
}

// TestPlainWithdrawnRequestLeavesNoRecording: the recording of the check before was erased for the
// check that is then withdrawn, so it is not offered again.
func TestPlainWithdrawnRequestLeavesNoRecording(t *testing.T) {
	requests := make(chan Request)
	var help support
	var k fakeRecording
	erased := 0
	in, typed := io.Pipe()
	go func() {
		_, _ = io.WriteString(typed, "\n\n") // begin, record
		requests <- help.request(false, true)
		_, _ = io.WriteString(typed, "p\n\n")
		_ = typed.Close()
	}()
	checks := 0
	with := func(o *Options) {
		k.into(o)
		o.In, o.Requests = in, requests
		o.Check = func(ctx context.Context, _ Choices, progress func(probe.Event)) (*report.Report, error) {
			if checks++; checks == 1 {
				goodVoice(progress)
				return finished(t, nil), nil
			}
			erased = k.erased
			close(help.over)
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	out, _, err := recital(t, phrase.DE, "", with, nil, nil)
	_, after, found := strings.Cut(out, "hat die neue Prüfung abgebrochen")
	if err != nil || !found || strings.Contains(after, "„p“") || k.played != 0 || k.erased <= erased+1 {
		t.Errorf("got error %v, %d playbacks, %d erasures after the request; want nil, 0, one at the withdrawal and one at the end:\n%s", err, k.played, k.erased-erased, out)
	}
}

// TestLateAnswerGivesNoConsent: a line that was typed for an earlier question that has timed
// out does not answer the question of a request.
func TestLateAnswerGivesNoConsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, typed := io.Pipe()
		a := newAnswers(in)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.next(over); err == nil {
			t.Fatal("got an answer before anything was typed")
		}
		_, _ = io.WriteString(typed, "ja\n")
		synctest.Wait()
		w, err := words.In(phrase.DE)
		if err != nil {
			t.Fatal(err)
		}
		p := plain{Options: Options{Out: io.Discard}, words: w, answers: a}
		var help support
		go func() { _, _ = io.WriteString(typed, "nein\n") }()
		if p.accept(t.Context(), help.request(true, false)) {
			t.Error("a late answer to another question counts as consent")
		}
		help.wants(t, AnswerNo)
		_ = typed.Close()
	})
}

func TestPlainRequest(t *testing.T) {
	for name, c := range map[string]struct {
		answers string
		agreed  bool
		want    Answer
		reports int
	}{
		"yes":    {"vielleicht\nja\n\n\n", false, AnswerYes, 1},
		"no":     {"nein\n\n", false, AnswerNo, 0},
		"agreed": {"\n", true, AnswerYes, 1},
	} {
		t.Run(name, func(t *testing.T) {
			requests := make(chan Request)
			var help support
			in, type_ := io.Pipe()
			go func() {
				_, _ = io.WriteString(type_, "\n\n") // begin, record
				requests <- help.request(!c.agreed, c.agreed)
				_, _ = io.WriteString(type_, c.answers)
				_ = type_.Close()
			}()
			out, _, err := recital(t, phrase.DE, "", func(o *Options) { o.In, o.Requests = in, requests }, finished(t, nil), goodVoice)
			if err != nil || len(help.answers) != 1 || help.answers[0] != c.want || len(help.finished) != c.reports {
				t.Errorf("got error %v, answers %v, %d reports; want nil, %v, %d:\n%s", err, help.answers, len(help.finished), c.want, c.reports, out)
			}
			if asks := strings.Contains(out, "Die Telefon-Hilfe (Frau Weber) bittet um eine neue Prüfung."); asks == c.agreed {
				t.Errorf("got question %v, want %v\n%s", asks, !c.agreed, out)
			}
		})
	}
}
