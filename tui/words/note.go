package words

import "github.com/tonprobe/tonprobe/probe/diagnose"

// maxNote is the maximum length of a note, in cells.
const maxNote = 200

// Note returns why a probe has no result. A note without a text, for example from a
// newer version, is marked as such.
func (w Words) Note(note string) string {
	if text, known := diagnose.NoteText(note, w.Lang()); known {
		return w.T("details.note", "text", text)
	}
	return w.T("details.note_technical", "text", Clean(note, maxNote))
}
