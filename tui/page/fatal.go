package page

// Fatal states why there is no result.
type Fatal struct{ Reason string }

// View draws the page.
func (p Fatal) View(s Sheet, k Keys) string {
	w := s.Words
	width := s.content()
	return s.frame(w.T("fatal.step"), []Block{
		{Text: s.Style.Bad.Render(hanging("✗  ", w.T("fatal.title"), width))},
		{Text: indent(wrap(p.Reason, width-3), 3)},
		{Text: wrap(w.T("fatal.action"), width)},
	}, k.Repeat, k.Quit)
}
