package audio

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Every system allows people to rename their microphones, and phones and
// headphones carry their owner's name by default ("Annas AirPods"). No pattern
// recognises all personal names. Therefore a report contains only text known not to
// be one: the name that the hardware reports, or words used by manufacturers.

const maxNameRunes = 80

const monitorPrefix = "Monitor of " // PulseAudio's prefix for the monitor of a loudspeaker

var (
	reNameWord = regexp.MustCompile(`[\p{L}\p{N}][\p{L}\p{M}\p{N}'’´` + "`" + `._+-]*`)
	// reModel matches a model number: "65", "C920", "QC35", "H650e". A name with a
	// year of birth ("UWE1948") has more letters.
	reModel = regexp.MustCompile(`^(?:[A-Z]{0,2}-?\d{1,4}(?:[A-Z]{1,3}\d?|[a-z])?|\d{1,2}-)$`)
	// reCount matches the number that a system adds to a second device of the same name.
	reCount = regexp.MustCompile(`^\d{1,2}-?$`)
)

// publicMicrophone returns the name of a microphone in a report.
func publicMicrophone(d capture.Device, persons []string) string {
	return publicName(d, "Microphone", persons)
}

// publicLoudspeaker returns the name of a loudspeaker in a report.
func publicLoudspeaker(d capture.Device, persons []string) string {
	return publicName(d, "Loudspeaker", persons)
}

// publicName returns d's name if all of its words are known not to be personal names. Otherwise
// it returns the first of these that is available: the hardware's own name, the known words of
// the name, "Bluetooth" for such a device, and kind. persons are removed even where they are
// known words.
func publicName(d capture.Device, kind string, persons []string) string {
	name, product := cleanName(d.Name), cleanName(d.Product)
	if rest, ok := strings.CutPrefix(name, monitorPrefix); ok {
		d.Name = rest
		return monitorPrefix + publicName(d, "Loudspeaker", persons)
	}
	if d.IsBluetooth || containsPerson(product, persons) || slices.ContainsFunc(personalKinds, func(k string) bool { return indexFold(product, k) >= 0 }) {
		product = ""
	}
	known, whole := knownWords(name, product, persons)
	switch {
	case whole:
		known = name
	case product != "":
		known = product
	case known == "" && d.IsBluetooth:
		known = "Bluetooth"
	}
	// DeviceName also applies the redaction of reports, so that the report is identical to what
	// is sent.
	return cmp.Or(report.DeviceName(known), kind)
}

// knownWords returns name without its unknown words, and whether all were known.
func knownWords(name, product string, persons []string) (kept string, whole bool) {
	// Windows combines role and device: "Headset (Jabra Evolve2 65)".
	if open := strings.Index(name, " ("); open > 0 && strings.HasSuffix(name, ")") {
		outer, outerWhole := knownWords(name[:open], product, persons)
		inner, innerWhole := knownWords(name[open+2:len(name)-1], product, persons)
		switch {
		case outer == "":
			return inner, false
		case inner == "":
			return outer, false
		}
		return outer + " (" + inner + ")", outerWhole && innerWhole
	}
	sure := phrasesIn(name, product)
	var b strings.Builder
	whole, telling := true, false
	afterMaker, end := false, -1
	for _, at := range reNameWord.FindAllStringIndex(name, -1) {
		word := strings.TrimRight(name[at[0]:at[1]], "._+")
		inPhrase := slices.ContainsFunc(sure, func(s span) bool { return s.from <= at[0] && at[0]+len(word) <= s.to })
		maker := inPhrase || isWord(makers, word)
		filler := fillers[strings.ToLower(word)] || reCount.MatchString(word) && (end >= 0 || b.Len() == 0)
		model := afterMaker && reModel.MatchString(word)
		if containsPerson(word, persons) || !maker && !filler && !model && !isWord(deviceWords, word) {
			whole, afterMaker, end = false, false, -1
			continue
		}
		if end >= 0 {
			b.WriteString(name[end:at[0]])
		} else if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
		end = at[0] + len(word)
		telling = telling || !filler
		afterMaker = maker || model || afterMaker && isWord(deviceWords, word)
	}
	if !telling {
		return "", false
	}
	return b.String(), whole
}

type span struct{ from, to int } // bytes

// phrasesIn finds the hardware's own name and known product series in name.
func phrasesIn(name, product string) (found []span) {
	for _, phrase := range append([]string{product}, productSeries...) {
		if at := indexFold(name, phrase); phrase != "" && at >= 0 {
			found = append(found, span{at, at + len(phrase)})
		}
	}
	return found
}

// isWord reports whether set contains word, also with a small number appended
// ("AirPods2") or as a hyphenated compound ("Pro-Mikrofon").
func isWord(set map[string]bool, word string) bool {
	word = strings.ToLower(word)
	if set[word] {
		return true
	}
	if bare := strings.TrimRightFunc(word, unicode.IsDigit); bare != "" && len(word)-len(bare) <= 2 && set[bare] {
		return true
	}
	parts := strings.Split(word, "-")
	return len(parts) > 1 && !slices.ContainsFunc(parts, func(p string) bool { return !set[p] && !deviceWords[p] })
}

func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r): // including no-break spaces, which macOS puts before the kind
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar, r == '®', r == '™':
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.Join(strings.Fields(name), " ")
	if runes := []rune(name); len(runes) > maxNameRunes {
		name = strings.TrimSpace(string(runes[:maxNameRunes]))
	}
	return name
}

// indexFold returns the position of word in s as a whole word, ignoring case, or
// -1. A digit may follow: "AirPods2".
func indexFold(s, word string) int {
	for i := 0; i+len(word) <= len(s); i++ {
		end := i + len(word)
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[end:])
		if strings.EqualFold(s[i:end], word) && !unicode.IsLetter(before) && !unicode.IsNumber(before) && !unicode.IsLetter(after) {
			return i
		}
	}
	return -1
}

// containsPerson reports whether s contains a personal or account name as a word, with
// or without a genitive s.
func containsPerson(s string, persons []string) bool {
	for _, p := range persons {
		for _, w := range []string{p, p + "s"} {
			if indexFold(s, w) >= 0 {
				return true
			}
		}
	}
	return false
}
