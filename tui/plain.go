package tui

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/words"
)

// plain prints the check line by line: without cursor control, animation or repetition.
type plain struct {
	Options
	words   words.Words
	profile diagnose.Profile
	answers *answers
}

// runPlain runs one check for a person, a pipe or a log.
func runPlain(ctx context.Context, o Options, w words.Words, limits diagnose.Profile) (*report.Report, error) {
	p := plain{Options: o, words: w, profile: limits, answers: newAnswers(o.In)}
	p, err := p.enrolFirst(ctx)
	if err != nil {
		return nil, err
	}
	p.introduce()
	speaker, err := p.ask(ctx)
	if err != nil {
		return nil, err
	}
	t := take{choices: Choices{Speaker: speaker}}
	if err := p.choose(ctx, &t); err != nil {
		return nil, err
	}
	var last plainResult
	for {
		o.erase()
		next, err := p.round(ctx, t)
		switch {
		case err == nil:
			last = next
		case errors.Is(err, errWithdrawn) && last.report != nil && ctx.Err() == nil:
			o.erase() // the withdrawn check may have recorded
			last.erased = true
			p.say(w.T("request.withdrawn"))
		case errors.Is(err, ErrQuit) && last.report != nil:
			return last.report, nil // as on the screen
		default:
			return nil, err
		}
		t.request = nil
		if !p.goOn(ctx, last, &t) {
			return last.report, nil
		}
	}
}

// plainResult is the result of a plain check.
type plainResult struct {
	report, shown *report.Report
	heard         page.Elsewhere
	erased        bool // the recording was erased for a later check
}

// errWithdrawn means that phone support has withdrawn the check that it had requested.
var errWithdrawn = errors.New("withdrawn by phone support")

// round performs one check, delivers its report and prints the result.
func (p plain) round(ctx context.Context, t take) (plainResult, error) {
	finish := func(*report.Report) {}
	checking := ctx
	if t.request != nil {
		finish = t.request.Finish
		var stop context.CancelCauseFunc
		checking, stop = context.WithCancelCause(ctx)
		defer stop(nil)
		go func() {
			select {
			case <-t.request.Over:
				stop(errWithdrawn)
			case <-checking.Done():
			}
		}()
	}
	if err := p.begin(checking, t); err != nil {
		finish(nil)
		return plainResult{}, err
	}
	r, shown, heard, err := p.check(checking, t)
	if err != nil {
		finish(nil)
		return plainResult{}, err
	}
	w := p.words
	p.say("")
	for _, line := range w.Judgement(shown) {
		p.say(line)
	}
	p.say(w.CaseLine(r, p.deliver(ctx, r)))
	finish(r)
	if phone := p.phone(); phone != "" {
		p.say(w.T("verdict.phone", "number", phone))
	}
	p.say("")
	for _, line := range w.InDetail(shown) {
		p.say(line)
	}
	return plainResult{report: r, shown: shown, heard: heard}, nil
}

// noAudio reports whether a check does not use the microphone.
func (p plain) noAudio(t take) bool {
	return p.Consent.NoAudio || t.request != nil && !t.request.Audio
}

// take describes one check and its choices.
type take struct {
	choices Choices
	chosen  string // name of the microphone, if known
	// microphones are the offered ones.
	microphones []Microphone
	round       int
	// request is the request of phone support; nil if the person started the check.
	request *Request
}

func (p plain) say(line string) { fmt.Fprintln(p.Out, line) }

// enumerate returns clauses, which end with commas, as one sentence, with a word before the last.
func enumerate(clauses []string, and string) string {
	first, last := clauses[:len(clauses)-1], clauses[len(clauses)-1]
	if len(first) == 0 {
		return last
	}
	return strings.TrimSuffix(strings.Join(first, " "), ",") + " " + and + " " + last
}

func (p plain) introduce() {
	w := p.words
	p.say(w.T("app.name") + ": " + w.T("welcome.title"))
	p.say(p.Consent.Intro(w))
	p.say(w.T("welcome.measures") + " " + enumerate(p.Consent.Measures(w), w.T("plain.and")))
	p.say(strings.Join(p.Consent.Privacy(w), " "))
	sentence, recipient := p.Consent.Sending(w)
	p.say(strings.TrimSpace(sentence + " " + recipient))
	if p.Speaker {
		p.say(w.T("plain.speaker"))
	}
	if p.Notice != "" {
		p.say(p.Notice)
	}
}

// ask requests consent, and whether to play a tone. An empty line gives consent, like the
// Enter key on the screen.
func (p plain) ask(ctx context.Context) (speaker bool, err error) {
	switch {
	case p.Agreed:
		return p.Speaker, nil
	case !p.Interactive:
		p.say(p.words.T("plain.unattended"))
		return p.Speaker, nil
	}
	if p.OffersSpeaker && !p.Speaker {
		p.say(p.words.T("plain.speaker_offer"))
	}
	p.say(p.words.T("plain.consent"))
	answer, err := p.answers.next(ctx)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	switch strings.ToLower(answer) {
	case "l":
		return p.OffersSpeaker, nil
	case "", "j", "ja", "y", "yes":
		if err == nil {
			return p.Speaker, nil
		}
	}
	p.say(p.words.T("plain.declined"))
	return false, ErrQuit
}

// choose asks for the microphone if there are several and a person can answer.
func (p plain) choose(ctx context.Context, t *take) error {
	t.choices.Device, t.chosen = p.Device, p.Device
	if !p.Interactive || !p.choice() {
		return nil
	}
	all := p.microphones(ctx)
	t.chosen = nameOfDefault(all)
	d := page.NewDevices(all)
	if !d.Needed() {
		return nil
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
			return context.Cause(ctx)
		}
		n, bad := strconv.Atoi(answer)
		switch {
		case answer == "" || err != nil: // without further input, the default
		case bad != nil || n < 1 || n > len(d.All()):
			p.say(w.T("plain.not_a_number"))
			continue
		default:
			d = d.Choose(n - 1)
		}
		break
	}
	p.say(w.T("plain.chosen", "name", d.Chosen().Label(w, maxName)))
	t.chosen, t.microphones = d.Chosen().Label(w, maxName), d.All()
	if !d.Chosen().IsDefault {
		t.choices.Device = d.Chosen().Device()
	}
	return nil
}

// begin prints the text to read, and waits for the command to record, so that the voice of a
// screen reader that is still reading the text is not recorded. Without a person to ask,
// narrator prints when to speak.
func (p plain) begin(ctx context.Context, t take) error {
	w := p.words
	p.say("")
	if p.noAudio(t) {
		p.say(w.T("check.quiet"))
		return nil
	}
	text := w.T(page.NewChecking(page.Course{Round: t.round}).TextKey())
	if !p.asks() {
		p.say(w.T("check.ready_to_read") + " " + text)
		return nil
	}
	p.say(w.T("plain.text") + " " + text)
	p.say(w.T("plain.record"))
	answer, _ := p.answers.next(ctx) // without further input the check continues
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if strings.ToLower(answer) == "q" {
		p.say(w.T("plain.declined"))
		return ErrQuit
	}
	return nil
}

// askTone asks until the answer is yes or no; an empty line is neither.
func (p plain) askTone(ctx context.Context, t toneQuestion) {
	ctx, cancel := context.WithTimeout(ctx, tonePatience)
	defer cancel()
	for {
		p.say(p.words.T("tone.question") + " " + p.words.T("plain.tone"))
		answer, err := p.answers.next(ctx)
		switch strings.ToLower(answer) {
		case "j", "ja", "y", "yes":
			t.answers <- new(true)
			return
		case "n", "nein", "no":
			t.answers <- new(false)
			return
		}
		if err != nil {
			t.answers <- nil
			return
		}
	}
}

// maxName is the maximum length of a microphone's name in characters.
const maxName = 80

// check runs the check and prints its events. It returns the report, and the report with
// this machine's device names.
func (p plain) check(ctx context.Context, t take) (r, shown *report.Report, heard page.Elsewhere, err error) {
	c := &check{events: make(chan probe.Event, backlog), tone: newToneQuestion()}
	if t.request != nil {
		c.tell = t.request.Tell
		t.choices.Requested, t.choices.NoAudio, t.choices.Speaker = true, p.noAudio(t), false
	}
	if t.choices.Speaker && p.asks() {
		t.choices.ToneHeard = c.tone.heard
	}
	done := make(chan checkedMsg, 1)
	n := narrator{plain: p, quiet: p.noAudio(t), page: page.NewChecking(page.Course{
		NoAudio: p.noAudio(t), Speaker: t.choices.Speaker,
		Round: t.round, Profile: p.profile, Chosen: t.chosen, Microphones: t.microphones,
	})}
	go func() {
		var m checkedMsg
		m.err = guarded(p.Log, func() (err error) {
			m.report, err = p.Check(ctx, t.choices, c.pass)
			return err
		})
		done <- m
	}()
	var m checkedMsg
	for running := true; running; {
		select {
		case e := <-c.events:
			n.hear(e)
		case <-c.tone.asks:
			p.askTone(ctx, c.tone)
		case m = <-done:
			running = false
		}
	}
	for len(c.events) > 0 {
		n.hear(<-c.events)
	}
	switch {
	case ctx.Err() != nil:
		return nil, nil, page.Elsewhere{}, context.Cause(ctx)
	case m.err == nil && m.report != nil:
		return m.report, c.names.in(m.report), n.page.Elsewhere(), nil
	case m.err == nil:
		m.err = errInternal
	}
	w := p.words
	p.say("")
	p.say(w.T("fatal.title"))
	p.say(p.reason(m.err, w))
	p.say(w.T("fatal.action"))
	return nil, nil, page.Elsewhere{}, &FailedError{m.err}
}

// deliver passes the report on and prints the result.
func (p plain) deliver(ctx context.Context, r *report.Report) Delivery {
	if p.Deliver == nil {
		return ""
	}
	state := DeliveryFailed
	_ = guarded(p.Log, func() error { state = p.Deliver(ctx, r); return nil }) // a panic leaves DeliveryFailed
	if sentence := p.words.Delivery(state); sentence != "" {
		p.say(sentence)
	}
	return state
}
