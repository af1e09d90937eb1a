package page

import "github.com/tonprobe/tonprobe/tui/words"

// Request asks for consent to a check that phone support has requested.
type Request struct {
	By    string // name of the member of staff
	Audio bool   // the microphone is used
	// Others is set if the other microphones are recorded as well.
	Others bool
}

// Lines returns the request in sentences; the last one is the question.
func (p Request) Lines(w words.Words) []string {
	who := w.T("request.title", "name", p.By)
	if !p.Audio {
		return []string{who, w.T("request.network"), w.T("request.allow_network")}
	}
	lines := []string{who, w.T("request.audio")}
	if p.Others {
		lines = append(lines, w.T("request.others"))
	}
	return append(lines, w.T("request.allow_audio"))
}

// View draws the page.
func (p Request) View(s Sheet, k Keys) string {
	lines := p.Lines(s.Words)
	width := s.content()
	blocks := []Block{{Text: s.Style.Accent.Render(wrap(lines[0], width))}}
	for _, line := range lines[1 : len(lines)-1] {
		blocks = append(blocks, Block{Text: wrap(line, width)})
	}
	blocks = append(blocks, Block{Text: s.Style.Strong.Render(wrap(lines[len(lines)-1], width)), Pin: true})
	k.Always.SetEnabled(!p.Audio)
	return s.frame(s.Words.T("request.step"), blocks, k.Yes, k.No, k.Always, k.Quit)
}
