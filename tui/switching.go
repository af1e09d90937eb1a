package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
)

// codeWrongDevice is the cause whose remedy is another microphone.
const codeWrongDevice = "audio.wrong_device"

// offered is the microphone to change to after r: only where the diagnosis
// names that as the first thing to do.
func offered(r *report.Report, heard page.Elsewhere) page.Elsewhere {
	primary, found := r.Primary()
	if !found || primary.Code != codeWrongDevice || !heard.Found() {
		return page.Elsewhere{}
	}
	if in := report.Find[report.AudioInput](r); heard.Chosen == "" && in != nil {
		heard.Chosen = in.Device
	}
	return heard
}

// elsewhere is what is offered on the page that is up.
func (m model) elsewhere() page.Elsewhere {
	switch m.stage {
	case checking:
		return m.checking.Elsewhere()
	case answering:
		return m.verdict.Elsewhere
	}
	return page.Elsewhere{}
}

// change begins anew with the microphone that hears the voice.
func (m model) change(to page.Elsewhere) (model, tea.Cmd) {
	if m.running != nil {
		m.running.cancel()
	}
	m.choices.Device, m.chosen = to.Device, to.Name
	return m.startCheck()
}

// nameOfDefault is the default microphone as far as it is known.
func nameOfDefault(all []Microphone) string {
	for _, one := range all {
		if one.IsDefault {
			return one.Name
		}
	}
	return ""
}
