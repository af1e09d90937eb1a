package page

import "github.com/tonprobe/tonprobe/tui/words"

// Own says where the participant sees what is stored about them. Its zero value means that the code is being
// requested.
type Own struct {
	// Link opens the page at once; Address and Code open it by hand.
	Link, Address, Code string
	Problem             string // why there is no code; "" for none
}

// Lines returns the texts of the page.
func (p Own) Lines(w words.Words) []string {
	switch {
	case p.Problem != "":
		return []string{p.Problem}
	case p.Code == "":
		return []string{w.T("own.asking")}
	}
	return []string{w.T("own.link"), words.Clean(p.Link, 300), w.T("own.by_hand", "address", words.Clean(p.Address, 300), "code", words.Clean(p.Code, 40)), w.T("own.secret")}
}

// View draws the page.
func (p Own) View(s Sheet, k Keys) string {
	blocks := []Block{{Text: s.Style.Accent.Render(wrap(s.Words.T("own.title"), s.content()))}}
	for i, line := range p.Lines(s.Words) {
		style := s.Style.Text
		if i == 1 {
			style = s.Style.Strong
		}
		blocks = append(blocks, Block{Text: style.Render(wrap(line, s.content()))})
	}
	return s.frame(s.Words.T("own.step"), blocks, k.Close, k.Quit)
}
