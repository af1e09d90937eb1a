package page

// Searching is up while the microphones are still being looked for.
type Searching struct{}

// View draws the page.
func (Searching) View(s Sheet, k Keys) string {
	return s.frame(s.Words.T("devices.step"), []Block{
		{Text: s.Style.Strong.Render(wrap(s.Words.T("devices.searching"), s.content()))},
	}, k.Quit)
}
