package tui

import (
	"context"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/words"
)

// Invitation is the link that opened the program. Any web page can open such a link, so it is
// used only after the person has agreed to its host.
type Invitation struct {
	Link string
	// Host is the collector of the link. Present is the collector that it would replace; "" for
	// none.
	Host, Present string
}

// invited reports whether to ask about the link.
func (o Options) invited() bool { return o.Invitation.Link != "" && o.Enrol != nil && !o.Agreed }

func (o Options) invitation() page.Invited {
	return page.Invited{Host: o.Invitation.Host, Present: o.Invitation.Present}
}

func (m model) pressInvited(msg tea.KeyMsg) (model, tea.Cmd) {
	switch {
	case m.invited.Busy:
	case key.Matches(msg, m.keys.Confirm):
		m.invited.Busy, m.invited.Problem = true, ""
		return m, m.desk.enrol(page.Enrol{Code: m.desk.options.Invitation.Link})
	case key.Matches(msg, m.keys.Skip):
		m.stage = welcoming
	}
	return m, nil
}

// acceptInvitation asks whether to enrol with the link that opened the program. It returns p
// with the enrolment.
func (p plain) acceptInvitation(ctx context.Context) (plain, error) {
	w := p.words
	p.say(w.T("app.name") + ": " + w.T("invited.title"))
	p.say(p.invitation().Text(w))
	p.say(w.T("invited.unexpected"))
	p.say(w.T("plain.invited"))
	answer, err := p.answers.next(ctx)
	if ctx.Err() != nil {
		return p, context.Cause(ctx)
	}
	switch strings.ToLower(answer) {
	case "j", "ja", "y", "yes":
	default:
		err = errNoAnswer
	}
	if err != nil {
		p.say(w.T("plain.invitation_declined"))
		p.say("")
		return p.withoutInvitation(), nil
	}
	p.say(w.T("enrol.busy"))
	as, err := p.Options.enrol(ctx, p.Invitation.Link, "")
	switch {
	case ctx.Err() != nil:
		return p, context.Cause(ctx)
	case err != nil:
		p.say(p.enrolProblem(err, w))
		p.say("")
		return p.withoutInvitation(), nil
	}
	p.say(w.T("enrol.done", "participant", words.Clean(as.Participant, maxName)))
	p.say("")
	p.Options = p.enrolled(as)
	return p, nil
}

// withoutInvitation asks for a code instead, unless the computer is enrolled.
func (p plain) withoutInvitation() plain {
	if p.Invitation.Present != "" {
		p.Enrol = nil
	}
	p.Invitation = Invitation{}
	return p
}
