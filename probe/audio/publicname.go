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

// Every system lets people rename their microphones, and phones and headphones
// carry their owner's name from the factory on ("Annas AirPods"). No pattern
// finds all names of people, so a report gets only what is known to be none:
// the name that the hardware gave to the system, or words that makers use.

const maxNameRunes = 80

const monitorPrefix = "Monitor of " // PulseAudio's name for the sound of a loudspeaker

var (
	reNameWord = regexp.MustCompile(`[\p{L}\p{N}][\p{L}\p{M}\p{N}'’´` + "`" + `._+-]*`)
	// reModel is a model's number: "65", "C920", "QC35", "H650e". A name with a
	// year of birth ("UWE1948") is longer in its letters.
	reModel = regexp.MustCompile(`^(?:[A-Z]{0,2}-?\d{1,4}(?:[A-Z]{1,3}\d?|[a-z])?|\d{1,2}-)$`)
	// reCount is the number that a system puts to the second device of a name.
	reCount = regexp.MustCompile(`^\d{1,2}-?$`)
)

// publicMicrophone is what a report calls a microphone.
func publicMicrophone(d capture.Device, persons []string) string {
	return publicName(d, "Microphone", persons)
}

// publicLoudspeaker is what a report calls a loudspeaker.
func publicLoudspeaker(d capture.Device, persons []string) string {
	return publicName(d, "Loudspeaker", persons)
}

// publicName is d's name if all of it is known to name no person; otherwise the
// hardware's own name, the known words of the name, or the kind, whichever is
// there first. persons are names to leave out even where they are known words.
func publicName(d capture.Device, kind string, persons []string) string {
	name, product := cleanName(d.Name), cleanName(d.Product)
	if rest, ok := strings.CutPrefix(name, monitorPrefix); ok {
		d.Name = rest
		return monitorPrefix + publicName(d, "Loudspeaker", persons)
	}
	if d.IsBluetooth || holdsPerson(product, persons) || slices.ContainsFunc(personalKinds, func(k string) bool { return indexFold(product, k) >= 0 }) {
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
	// Redaction would do this step too; done here, the report is what is sent.
	return cmp.Or(report.DeviceName(known), kind)
}

// knownWords is name without its unknown words, and whether none was unknown.
func knownWords(name, product string, persons []string) (kept string, whole bool) {
	// "Headset (Jabra Evolve2 65)" is how Windows puts role and device together.
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
		if holdsPerson(word, persons) || !maker && !filler && !model && !isWord(deviceWords, word) {
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

// phrasesIn finds the hardware's own name and the known series in name.
func phrasesIn(name, product string) (found []span) {
	for _, phrase := range append([]string{product}, productSeries...) {
		if at := indexFold(name, phrase); phrase != "" && at >= 0 {
			found = append(found, span{at, at + len(phrase)})
		}
	}
	return found
}

// isWord looks word up, also with a small number behind it ("AirPods2") and as
// a compound of listed words ("Pro-Mikrofon").
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
		case unicode.IsSpace(r): // no-break spaces too: macOS puts them before the kind
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

// indexFold is the position of word in s as a whole word, in any case, or -1.
// A digit may follow: "AirPods2".
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

// holdsPerson looks for a person's name or account as a word, with or without
// the genitive's s.
func holdsPerson(s string, persons []string) bool {
	for _, p := range persons {
		for _, w := range []string{p, p + "s"} {
			if indexFold(s, w) >= 0 {
				return true
			}
		}
	}
	return false
}
