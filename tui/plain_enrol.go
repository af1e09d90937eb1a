package tui

import (
	"context"
	"errors"
	"strings"

	"github.com/tonprobe/tonprobe/tui/words"
)

// enrolFirst asks for a code or a link; an empty line skips it. It returns p with the
// enrolment.
func (p plain) enrolFirst(ctx context.Context) (plain, error) {
	if p.invited() && p.asks() {
		var err error
		if p, err = p.acceptInvitation(ctx); err != nil {
			return p, err
		}
	}
	if !p.offersEnrolment() || !p.asks() {
		return p, nil
	}
	w := p.words
	p.say(w.T("app.name") + ": " + w.T("enrol.title"))
	if p.EnrolNote != "" {
		p.say(p.EnrolNote)
	}
	question, code, address := w.T("plain.enrol"), "", ""
	asksAddress, incomplete := false, false
	for {
		p.say(question)
		answer, err := p.answers.next(ctx)
		switch {
		case ctx.Err() != nil:
			return p, context.Cause(ctx)
		case err != nil, answer == "":
			p.say(w.T("plain.enrol_skipped"))
			p.say("")
			return p, nil
		case asksAddress:
			address = answer
		case incomplete && !strings.Contains(answer, "://"):
			code += " " + answer
		default:
			code = answer
		}
		p.say(w.T("enrol.busy"))
		as, err := p.Options.enrol(ctx, code, address)
		asksAddress = asksAddress && err != nil || errors.Is(err, ErrNoAddress)
		incomplete = errors.Is(err, ErrIncomplete)
		switch {
		case ctx.Err() != nil:
			return p, context.Cause(ctx)
		case err == nil:
			p.say(w.T("enrol.done", "participant", words.Clean(as.Participant, maxName)))
			p.say("")
			p.Options = p.enrolled(as)
			return p, nil
		case errors.Is(err, ErrNoAddress):
			question = w.T("plain.enrol_address")
			continue
		}
		p.say(p.enrolProblem(err, w))
		question = w.T("plain.enrol_again")
		// If a wrong code follows a valid address, both are requested again, because either may
		// have been mistyped.
		asksAddress, address = false, ""
	}
}
