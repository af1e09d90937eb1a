package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/tui/page"
)

// pressEach splits key messages: bubbletea joins letters that are typed fast.
func (m model) pressEach(msg tea.KeyMsg) (model, tea.Cmd) {
	if msg.Type != tea.KeyRunes || len(msg.Runes) < 2 || msg.Paste {
		return m.press(msg)
	}
	var all []tea.Cmd
	for _, r := range msg.Runes {
		var cmd tea.Cmd
		m, cmd = m.press(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: msg.Alt})
		all = append(all, cmd)
	}
	return m, tea.Batch(all...)
}

// press handles a key on the current page.
func (m model) press(msg tea.KeyMsg) (model, tea.Cmd) {
	if key.Matches(msg, m.keys.Abort) || m.stage != enrolling && key.Matches(msg, m.keys.Quit) {
		return m.quit()
	}
	if m.showsOwn() {
		return m.pressOwn(msg), nil
	}
	if m.offersOwnHere() && key.Matches(msg, m.keys.Own) {
		return m.openOwn()
	}
	if to := m.elsewhere(); to.Found() && key.Matches(msg, m.keys.Switch) {
		return m.change(to)
	}
	if (m.stage == welcoming || m.stage == answering) && m.offer().Offered() && key.Matches(msg, m.keys.Disturbance) {
		return m.reportDisturbance()
	}
	if m.stage != choosing && m.stage != detailing && key.Matches(msg, m.keys.Scroll) {
		return m.scroll(msg), nil
	}
	switch m.stage {
	case enrolling:
		return m.pressEnrol(msg)
	case inviting:
		return m.pressInvited(msg)
	case welcoming:
		return m.pressWelcome(msg)
	case choosing:
		return m.choose(msg)
	case hearing:
		return m.pressHearing(msg), nil
	case asked:
		return m.pressRequest(msg)
	case answering:
		switch {
		case key.Matches(msg, m.keys.Details):
			m.stage, m.details = detailing, page.NewDetails(m.verdict.Report, m.sheet, m.desk.options.offersOwn())
			return m, nil
		case m.verdict.Replay.Held() && key.Matches(msg, m.keys.Listen):
			return m.listen()
		case m.verdict.Settings && key.Matches(msg, m.keys.Settings):
			return m, m.desk.work(func() tea.Msg {
				m.desk.options.openSettings(m.desk.ctx)
				return nil
			})
		}
	case detailing:
		if key.Matches(msg, m.keys.Back) {
			m.stage = answering
			return m, nil
		}
		m.details = m.details.Update(msg)
	}
	if m.running == nil && (m.stage == answering || m.stage == detailing || m.stage == failing) && key.Matches(msg, m.keys.Repeat) {
		return m.startCheck()
	}
	return m, nil
}

func (m model) pressWelcome(msg tea.KeyMsg) (model, tea.Cmd) {
	switch {
	case key.Matches(msg, m.keys.Start):
		return m.start()
	case m.enrolment && key.Matches(msg, m.keys.Enrol):
		m.stage = enrolling
	case key.Matches(msg, m.keys.Loudspeaker):
		m.welcome.Loudspeaker = m.welcome.Loudspeaker.Toggle()
		m.choices.Speaker = m.welcome.Loudspeaker.On
	}
	return m, nil
}

func (m model) pressRequest(msg tea.KeyMsg) (model, tea.Cmd) {
	if !key.Matches(msg, m.keys.Yes, m.keys.No, m.keys.Always) {
		return m, nil
	}
	m, considered := m.considered()
	switch {
	case !considered:
	case key.Matches(msg, m.keys.Yes):
		return m.accept(AnswerYes)
	case key.Matches(msg, m.keys.No):
		return m.decline(), nil
	case !m.audio(m.request.Request) && key.Matches(msg, m.keys.Always):
		return m.accept(AnswerAlways)
	}
	return m, nil
}
