package page

import "github.com/tonprobe/tonprobe/tui/words"

// Invited asks whether to enrol with the link that opened the program.
type Invited struct {
	// Host is the collector of the link. Present is the collector that it would replace; "" for
	// none.
	Host, Present string
	// Busy is set during the request to the collector.
	Busy bool
	// Problem describes the failure of the last attempt.
	Problem string
}

// maxHost is the maximum length of a host name (RFC 1035, section 2.3.4).
const maxHost = 253

// Text returns what the person agrees to.
func (p Invited) Text(w words.Words) string {
	text := w.T("invited.ask", "host", words.Clean(p.Host, maxHost))
	if p.Present != "" {
		text += " " + w.T("invited.replaces", "host", words.Clean(p.Present, maxHost))
	}
	return text
}

// View draws the page.
func (p Invited) View(s Sheet, k Keys) string {
	w := s.Words
	width := s.content()
	k.Confirm.SetHelp(k.Confirm.Help().Key, w.T("key.accept_invitation"))
	k.Skip.SetHelp(k.Skip.Help().Key, w.T("key.decline_invitation"))
	note := s.Style.Quiet.Render(wrap(w.T("invited.unexpected"), width))
	switch {
	case p.Busy:
		note = s.Style.Accent.Render(wrap(w.T("enrol.busy"), width))
	case p.Problem != "":
		note = s.Style.Bad.Render(hanging("✗  ", p.Problem, width))
	}
	return s.frame(w.T("enrol.step"), []Block{
		{Text: s.Style.Accent.Render(wrap(w.T("invited.title"), width))},
		{Text: wrap(p.Text(w), width), Pin: true},
		{Text: note},
	}, k.Confirm, k.Skip, k.Quit)
}
