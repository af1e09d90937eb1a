package tui

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/meter"
	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/words"
)

// plain says the check line by line: no cursor tricks, nothing that moves, and
// nothing said twice.
type plain struct {
	Options
	words   words.Words
	answers *answers
}

// runPlain leads a person, a pipe or a log through one check.
func runPlain(ctx context.Context, o Options, w words.Words) (*report.Report, error) {
	p := plain{Options: o, words: w, answers: newAnswers(o.In)}
	p.introduce()
	if err := p.ask(ctx); err != nil {
		return nil, err
	}
	device, err := p.choose(ctx)
	if err != nil {
		return nil, err
	}
	r, err := p.check(ctx, device)
	if err != nil {
		return nil, err
	}
	p.say("")
	for _, line := range w.Summary(r) {
		p.say(line)
	}
	p.deliver(ctx, r)
	return r, nil
}

func (p plain) say(line string) { fmt.Fprintln(p.Out, line) }

func (p plain) introduce() {
	w := p.words
	p.say(w.T("app.name") + ": " + w.T("welcome.title"))
	p.say(p.Consent.Intro(w))
	p.say(w.T("welcome.measures") + " " + strings.Join(p.Consent.Measures(w), " "))
	p.say(strings.Join(p.Consent.Privacy(w), " "))
	sentence, recipient := p.Consent.Sending(w)
	p.say(strings.TrimSpace(sentence + " " + recipient))
}

// ask gets consent. An empty line gives it, as the Enter key does on the screen.
func (p plain) ask(ctx context.Context) error {
	switch {
	case p.Agreed:
		return nil
	case !p.Interactive:
		p.say(p.words.T("plain.unattended"))
		return nil
	}
	p.say(p.words.T("plain.consent"))
	answer, err := p.answers.next(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch strings.ToLower(answer) {
	case "", "j", "ja", "y", "yes":
		if err == nil {
			return nil
		}
	}
	p.say(p.words.T("plain.declined"))
	return ErrQuit
}

// choose asks for the microphone when there are several and somebody to ask.
func (p plain) choose(ctx context.Context) (string, error) {
	if !p.Interactive || !p.choice() {
		return p.Device, nil
	}
	d := page.NewDevices(p.microphones(ctx))
	if !d.Needed() {
		return p.Device, nil
	}
	w := p.words
	p.say(w.T("plain.microphones", "count", w.Number(len(d.All()))))
	for i, m := range d.All() {
		p.say(w.T("plain.microphone", "number", i+1, "name", m.Describe(w, maxName)))
	}
	p.say(w.T("plain.choose", "name", d.Chosen().Label(w, maxName)))
	for {
		answer, err := p.answers.next(ctx)
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		n, bad := strconv.Atoi(answer)
		switch {
		case answer == "" || err != nil: // with no more answers it is the default one
		case bad != nil || n < 1 || n > len(d.All()):
			p.say(w.T("plain.not_a_number"))
			continue
		default:
			d = d.Choose(n - 1)
		}
		break
	}
	p.say(w.T("plain.chosen", "name", d.Chosen().Label(w, maxName)))
	if d.Chosen().IsDefault {
		return "", nil
	}
	return d.Chosen().Name, nil
}

// maxName is the longest name of a microphone that is read out, in characters.
const maxName = 80

// check runs the check and says what happens.
func (p plain) check(ctx context.Context, device string) (*report.Report, error) {
	c := &check{events: make(chan probe.Event, backlog)}
	done := make(chan checkedMsg, 1)
	n := narrator{plain: p, page: page.NewChecking(p.Consent.NoAudio, p.SpeakFor, 0)}
	n.begin()
	go func() {
		var m checkedMsg
		m.err = guarded(p.Log, func() (err error) {
			m.report, err = p.Check(ctx, device, c.pass)
			return err
		})
		done <- m
	}()
	var m checkedMsg
	for running := true; running; {
		select {
		case e := <-c.events:
			n.hear(e)
		case m = <-done:
			running = false
		}
	}
	for len(c.events) > 0 {
		n.hear(<-c.events)
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case m.err == nil && m.report != nil:
		return m.report, nil
	case m.err == nil:
		m.err = errInternal
	}
	w := p.words
	p.say("")
	p.say(w.T("fatal.title"))
	p.say(w.T("fatal.reason", "text", reason(m.err, w)))
	p.say(w.T("fatal.action"))
	return nil, &FailedError{m.err}
}

func (p plain) deliver(ctx context.Context, r *report.Report) {
	if p.Deliver == nil {
		return
	}
	state := DeliveryFailed
	_ = guarded(p.Log, func() error { state = p.Deliver(ctx, r); return nil }) // a panic leaves DeliveryFailed
	if sentence := p.words.Delivery(state); sentence != "" {
		p.say("")
		p.say(sentence)
	}
}

// narrator says the events of a running check.
type narrator struct {
	plain
	page   page.Checking
	advice meter.Advice
}

// begin says the text to read before the microphone is open, so that a screen
// reader's own voice is not what is measured.
func (n *narrator) begin() {
	n.say("")
	if n.Consent.NoAudio {
		n.say(n.words.T("check.quiet"))
		return
	}
	n.say(n.words.T("check.ready_to_read") + " " + n.words.T(n.page.TextKey()))
}

func (n *narrator) hear(e probe.Event) {
	n.page = n.page.Take(e, n.Now())
	if a := n.page.Advice(); a != n.advice && !n.Consent.NoAudio {
		n.advise(a)
		n.advice = a
	}
	if e.Kind == probe.EventDone && e.Result != nil {
		w := n.words
		n.say(w.T("plain.done", "probe", w.Probe(e.Probe), "state", w.State(e.Result.Status)))
	}
}

// advise says only what asks for something: praise would interrupt the reading.
func (n *narrator) advise(a meter.Advice) {
	switch a {
	case meter.Speak:
		if n.advice == "" || n.advice == meter.Opening {
			n.say(n.words.T("plain.listening"))
		}
		n.say(n.words.T("advice.speak"))
	case meter.Louder, meter.Softer, meter.NoSound, meter.Finished:
		n.say(n.words.T("advice." + string(a)))
	}
}
