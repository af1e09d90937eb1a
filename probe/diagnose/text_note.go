package diagnose

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// NoteText returns in lang why a probe was skipped or has no result. Reports contain
// such notes as fixed English texts, which serve as codes. known is false for other
// texts, such as errors of the system or notes of a newer version.
func NoteText(note string, lang phrase.Lang) (text string, known bool) {
	b, key := book(lang), "note."+noteKey(note)
	if !b.Has(key) {
		return "", false
	}
	return b.T(key), true
}

// noteKey converts a note to a key: lower case, with "_" for anything but letters and
// digits.
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
