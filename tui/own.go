package tui

import (
	"context"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/words"
)

// OwnPage is where the collector shows what is stored about a participant. Link opens that page; at Address, Code
// does, once.
type OwnPage struct{ Link, Address, Code string }

// ownMsg is the answer to a request for the own page.
type ownMsg struct {
	number int
	page   page.Own
}

// offersOwn reports whether there is a page about the participant.
func (o Options) offersOwn() bool {
	return o.OwnPage != nil && (o.Enrolled == nil || o.Enrolled())
}

// ownPage requests a code.
func (o Options) ownPage(ctx context.Context, w words.Words) page.Own {
	var own OwnPage
	err := guarded(o.Log, func() (err error) {
		own, err = o.OwnPage(ctx)
		return err
	})
	if err != nil {
		o.Log.Warn("request the own page", "err", err)
		return page.Own{Problem: o.reason(err, w)}
	}
	return page.Own{Link: own.Link, Address: own.Address, Code: own.Code}
}

// offersOwnHere reports whether the key for the own page has an effect on the current page.
func (m model) offersOwnHere() bool {
	return m.own == nil && (m.stage == welcoming || m.stage == detailing) && m.desk.options.offersOwn()
}

// showsOwn reports whether the own page covers the current one. A request of phone support covers both.
func (m model) showsOwn() bool {
	return m.own != nil && (m.stage == welcoming || m.stage == detailing)
}

// openOwn requests a code and shows it over the current page.
func (m model) openOwn() (model, tea.Cmd) {
	m.own, m.sheet.Scroll = &page.Own{}, 0
	m.owns++
	number := m.owns
	return m, m.desk.work(func() tea.Msg { return ownMsg{number, m.desk.options.ownPage(m.desk.ctx, m.words)} })
}

// pressOwn handles a key while the own page is shown.
func (m model) pressOwn(msg tea.KeyMsg) model {
	switch {
	case key.Matches(msg, m.keys.Close):
		m.own, m.sheet.Scroll = nil, 0
	case key.Matches(msg, m.keys.Scroll):
		return m.scroll(msg)
	}
	return m
}
