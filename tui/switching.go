package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
)

// offered returns the microphone to change to after r. It is set only if the diagnosis names
// the change as the first action.
func offered(r *report.Report, heard page.Elsewhere) page.Elsewhere {
	primary, found := r.Primary()
	cause, _ := diagnose.Lookup(primary.Code)
	if !found || !cause.OtherMicrophone || !heard.Found() {
		return page.Elsewhere{}
	}
	if in := report.Find[report.AudioInput](r); heard.Chosen == "" && in != nil {
		heard.Chosen = in.Device
	}
	return heard
}

// elsewhere returns the microphone offered on the current page.
func (m model) elsewhere() page.Elsewhere {
	switch m.stage {
	case checking:
		return m.checking.Elsewhere()
	case answering:
		return m.verdict.Elsewhere
	}
	return page.Elsewhere{}
}

// change starts again with the microphone that receives the voice.
func (m model) change(to page.Elsewhere) (model, tea.Cmd) {
	if m.running != nil {
		m.running.cancel()
	}
	m.choices.Device, m.chosen = to.Device, to.Name
	return m.startCheck()
}

// nameOfDefault returns the name of the default microphone, if known.
func nameOfDefault(all []Microphone) string {
	for _, one := range all {
		if one.IsDefault {
			return one.Name
		}
	}
	return ""
}
