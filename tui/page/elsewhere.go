package page

import "github.com/tonprobe/tonprobe/tui/words"

// Elsewhere is a microphone that hears the voice while the chosen one does not.
type Elsewhere struct {
	Device string // as a check takes it; empty when there is none
	Name   string
	Twin   int    // as of Microphone
	Chosen string // name of the chosen one; empty when it is not known
}

// Found reports whether there is such a microphone.
func (e Elsewhere) Found() bool { return e.Device != "" }

// maxDeviceName keeps the sentence within two lines of a usual screen.
const maxDeviceName = 36

// Sentence says which microphone hears, and which was to.
func (e Elsewhere) Sentence(w words.Words) string {
	name := Microphone{Name: e.Name, Twin: e.Twin}.Label(w, maxDeviceName)
	chosen := words.Clean(e.Chosen, maxDeviceName)
	if chosen == "" {
		return w.T("elsewhere.sentence_unnamed", "other", name)
	}
	return w.T("elsewhere.sentence", "other", name, "chosen", chosen)
}
