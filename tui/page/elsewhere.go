package page

import "github.com/tonprobe/tonprobe/tui/words"

// Elsewhere is a microphone that receives the voice while the chosen one does not.
type Elsewhere struct {
	Device string // as accepted by a check; empty if there is none
	Name   string
	Twin   int    // as in Microphone
	Chosen string // name of the chosen one; empty if unknown
}

// Found reports whether there is such a microphone.
func (e Elsewhere) Found() bool { return e.Device != "" }

// maxDeviceName, in cells, keeps the sentence within two lines of a typical screen.
const maxDeviceName = 36

// Sentence names the microphone that receives the voice, and the chosen one.
func (e Elsewhere) Sentence(w words.Words) string {
	name := Microphone{Name: e.Name, Twin: e.Twin}.Label(w, maxDeviceName)
	chosen := words.Clean(e.Chosen, maxDeviceName)
	if chosen == "" {
		return w.T("elsewhere.sentence_unnamed", "other", name)
	}
	return w.T("elsewhere.sentence", "other", name, "chosen", chosen)
}
