package page

// Hearing asks whether the person heard the tone.
type Hearing struct{}

// View draws the page.
func (Hearing) View(s Sheet, k Keys) string {
	w := s.Words
	return s.frame(w.T("check.step"), []Block{
		{Text: s.Style.Accent.Render(wrap(w.T("tone.question"), s.content()))},
		{Text: wrap(w.T("tone.advice"), s.content())},
	}, k.Yes, k.No, k.Cancel)
}
