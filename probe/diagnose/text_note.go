package diagnose

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// NoteText says in lang why a probe was skipped or found nothing. Reports carry
// such notes as fixed English words, which serve as the code of the reason;
// known is false for any other, say an error of the system or a note of a newer
// version.
func NoteText(note string, lang phrase.Lang) (text string, known bool) {
	b, key := book(lang), "note."+noteKey(note)
	if !b.Has(key) {
		return "", false
	}
	return b.T(key), true
}

// noteKey is a note as a key: lower case, anything but letters and digits "_".
func noteKey(note string) string {
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
