package tui

import (
	"context"
	"errors"
	"unicode"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/words"
)

// Enrolled is the participant of this computer, and the host that receives its reports.
type Enrolled struct{ Recipient, Participant string }

var (
	// ErrNoAddress means that a code was entered and the collector's address is unknown.
	ErrNoAddress = errors.New("the collector's address is missing")
	// ErrIncomplete means that part of a link is missing. If a terminal pastes a wrapped
	// link as several lines, the next line contains it.
	ErrIncomplete = errors.New("a part of the link is missing")
)

// enrolledMsg is the result of an attempt to enrol.
type enrolledMsg struct {
	as  Enrolled
	err error
}

// offersEnrolment reports whether to ask for a code.
func (o Options) offersEnrolment() bool { return o.Enrol != nil && !o.Agreed }

// enrol attempts an enrolment with the input.
func (o Options) enrol(ctx context.Context, text, address string) (as Enrolled, err error) {
	err = guarded(o.Log, func() (err error) {
		as, err = o.Enrol(ctx, text, address)
		return err
	})
	return as, err
}

// enrolled sets the new recipient in the consent text.
func (o Options) enrolled(as Enrolled) Options {
	o.Consent.Recipient, o.Enrol = as.Recipient, nil
	return o
}

// enrolProblem returns the failure as a sentence.
func (o Options) enrolProblem(err error, w words.Words) string {
	if errors.Is(err, errInternal) {
		return w.T("fatal.internal")
	}
	if o.Explain != nil {
		if text, known := o.Explain(err); known {
			r := []rune(words.Clean(text, maxReason))
			if len(r) > 0 {
				r[0] = unicode.ToUpper(r[0])
			}
			return string(r)
		}
	}
	return o.reason(err, w)
}

func (d *desk) enrol(p page.Enrol) tea.Cmd {
	return d.work(func() tea.Msg {
		as, err := d.options.enrol(d.ctx, p.Code, p.Address)
		return enrolledMsg{as, err}
	})
}

// pressEnrol handles a key on the first page, where every letter is input. During the
// request to the collector the field still accepts input: the rest of a wrapped link that was
// pasted.
func (m model) pressEnrol(msg tea.KeyMsg) (model, tea.Cmd) {
	switch {
	case msg.Type == tea.KeyRunes, msg.Type == tea.KeySpace:
		m.enrol = m.enrol.Type(string(msg.Runes))
	case key.Matches(msg, m.keys.Erase):
		m.enrol = m.enrol.Erase()
	case key.Matches(msg, m.keys.Clear):
		m.enrol = m.enrol.Clear()
	case m.enrol.Busy:
	case key.Matches(msg, m.keys.Skip):
		if m.enrol.AsksAddress { // back to the code, which may be a mistyped link
			m.enrol.AsksAddress, m.enrol.Problem = false, ""
			return m, nil
		}
		m.stage = welcoming
	case key.Matches(msg, m.keys.Confirm):
		if m.enrol.Typed() == "" {
			m.enrol.Problem = m.words.T("enrol.empty")
			return m, nil
		}
		m.enrol.Busy, m.enrol.Problem = true, ""
		return m, m.desk.enrol(m.enrol)
	}
	return m, nil
}

// tried shows the result of an attempt to enrol.
func (m model) tried(msg enrolledMsg) model {
	m.enrol.Busy, m.invited.Busy = false, false
	switch {
	case m.stage == inviting && msg.err != nil:
		m.invited.Problem = m.desk.options.enrolProblem(msg.err, m.words)
	case m.stage != enrolling && m.stage != inviting:
	case errors.Is(msg.err, ErrNoAddress):
		m.enrol.AsksAddress = true
	case msg.err != nil:
		m.enrol.Problem = m.desk.options.enrolProblem(msg.err, m.words)
	default:
		m.welcome.Consent.Recipient = msg.as.Recipient
		m.welcome.Enrolled = msg.as.Participant
		m.stage, m.enrol = welcoming, page.Enrol{}
		m.enrolment = false
	}
	return m
}
