package bundle

import (
	_ "embed"
	"regexp"
	"strings"
	"unicode"

	"github.com/tonprobe/tonprobe/probe/report"
)

// wordList has the words of this program's log messages and errors, and of those of the
// libraries and systems that it reports, one a line. "go test ./agent/bundle -update"
// collects them from the source.
//
//go:embed words.txt
var wordList string

// leftOut replaces everything that is not a known word.
const leftOut = "…"

var (
	reWord = regexp.MustCompile(`[\p{L}\p{N}\p{M}]+`)
	// reNumbers matches a number in several parts, such as one of a telephone.
	reNumbers = regexp.MustCompile(`\p{N}+(?:[ :/.()+-]+\p{N}+)+`)
	// reKept matches text that is kept although it is not a word: times and durations,
	// and the ids of reports, which the bundle contains anyway.
	reKept = regexp.MustCompile(`\b(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)|` +
		`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|` +
		`(?:\d{1,5}(?:\.\d{1,9})?(?:ns|µs|us|ms|s|m|h))+)\b`)
)

// RedactLog reduces the lines of a log to known words, short numbers, times, durations and
// ids of reports, because messages of libraries and systems contain anything: names of
// networks, computers and people. The words of the names in private are left out even if
// they are known. Redacting twice is the same as redacting once.
func RedactLog(lines, private []string) []string {
	known := knownWords(private)
	kept := make([]string, 0, len(lines))
	for _, line := range lines {
		if line = redactLine(line, known); line != "" {
			kept = append(kept, line)
		}
	}
	return kept
}

// knownWords returns the words that may remain.
func knownWords(private []string) map[string]bool {
	known := map[string]bool{}
	for word := range strings.Lines(wordList) {
		known[strings.TrimSpace(word)] = true
	}
	for _, name := range private {
		for _, word := range reWord.FindAllString(strings.ToLower(name), -1) {
			known[word] = false
		}
	}
	return known
}

func redactLine(line string, known map[string]bool) string {
	// Addresses, paths and host names may consist of known words, so they are removed as a
	// whole first. This also cuts long lines.
	line = report.CleanText(line)
	var b strings.Builder
	for {
		at := reKept.FindStringIndex(line)
		if at == nil {
			break
		}
		b.WriteString(redactWords(line[:at[0]], known))
		b.WriteString(line[at[0]:at[1]])
		line = line[at[1]:]
	}
	b.WriteString(redactWords(line, known))
	return strings.TrimSpace(b.String())
}

// redactWords replaces the unknown words and the long numbers of a text.
func redactWords(s string, known map[string]bool) string {
	s = reNumbers.ReplaceAllString(s, leftOut)
	s = reWord.ReplaceAllStringFunc(s, func(word string) string {
		const maxDigits = 3 // a status or an error number
		if len(word) <= maxDigits && strings.Trim(word, "0123456789") == "" || known[strings.ToLower(word)] {
			return word
		}
		return leftOut
	})
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII && string(r) != leftOut {
			return ' '
		}
		return r
	}, s)
}
