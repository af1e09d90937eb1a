package words

import "github.com/tonprobe/tonprobe/probe/diagnose"

// maxNote is the longest note shown, in cells.
const maxNote = 200

// Note says why a probe found nothing. One that this program has no text for,
// say from a newer version, is called what it is.
func (w Words) Note(note string) string {
	if text, known := diagnose.NoteText(note, w.Lang()); known {
		return w.T("details.note", "text", text)
	}
	return w.T("details.note_technical", "text", Clean(note, maxNote))
}
