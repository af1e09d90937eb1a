package page

// Searching is shown while the list of microphones is being read.
type Searching struct{}

// View draws the page.
func (Searching) View(s Sheet, k Keys) string {
	return s.frame(s.Words.T("devices.step"), []Block{
		{Text: s.Style.Strong.Render(wrap(s.Words.T("devices.searching"), s.content()))},
	}, k.Quit)
}
