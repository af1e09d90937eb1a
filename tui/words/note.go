package words

import "strings"

// maxNote is the longest note shown, in cells.
const maxNote = 200

// Note says why a probe found nothing. Reports carry such notes as English
// words; each that this program knows has a text of its own, and any other,
// say from a newer version, is called what it is.
func (w Words) Note(note string) string {
	if key := "note." + slug(note); w.Has(key) {
		return w.T("details.note", "text", w.T(key))
	}
	return w.T("details.note_technical", "text", Clean(note, maxNote))
}

// slug is a note as a key: lower case, anything but letters and digits "_".
func slug(note string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, note)
}
