package report

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// codeSymbols is the number of symbols of a case code.
const codeSymbols = 6

// MaxSpokenBytes is the length up to which a spelled code is read.
const MaxSpokenBytes = 300

// SpokenCases returns the codes that a text may mean: as people type them, or as somebody
// writes them down while they are spelled, with or without other words ("Fall-Code
// 9E5-5C4", "K wie Kaufmann, sieben, Paula …", "Köln 7 Potsdam …", "kilo seven papa",
// "dreiundsiebzig", "Ha sechs Vau"). It recognises the names of letters in German and English, and
// the spelling alphabets of DIN 5009 (2022, 1996 and before), of Austria and Switzerland, and of
// ICAO. More than one code means that the text contradicts itself ("B wie Paula") or contains a U,
// which no code does: the caller must ask.
func SpokenCases(s string) []string {
	if len(s) > MaxSpokenBytes {
		return nil
	}
	if code, ok := NormalizeCase(s); ok {
		return []string{code}
	}
	var codes []string
	for _, symbols := range readings(s) {
		if len(symbols) == codeSymbols {
			codes = append(codes, dashed([]byte(symbols)))
		}
	}
	return codes
}

// SpokenCase returns the code that a text means; ok is false unless it is exactly one.
func SpokenCase(s string) (code string, ok bool) {
	if codes := SpokenCases(s); len(codes) == 1 {
		return codes[0], true
	}
	return "", false
}

// SpokenPart is CasePart for a part of a code that may be spelled. ok is false if it can be
// read in several ways.
func SpokenPart(s string) (part string, ok bool) {
	if part, ok := CasePart(s); ok || len(s) > MaxSpokenBytes {
		return part, ok
	}
	all := readings(s)
	if len(all) != 1 || len(all[0]) < leastPart || len(all[0]) >= codeSymbols {
		return "", false
	}
	return all[0], true
}

// maxReadings bounds the readings of the first words of a text. Beyond it, a text has none.
const maxReadings = 64

// readings returns the sequences of at most six symbols that a text may mean, sorted. There
// are none if a word belongs to no code.
func readings(s string) []string {
	words := strings.FieldsFunc(foldSpoken(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	all := readingsOf(words)
	if letters := namedLetters(words); letters != nil {
		all = append(all, readingsOf(letters)...)
		slices.Sort(all)
	}
	return slices.Compact(all)
}

// namedLetters returns the words with letters in place of their names; nil if there is no name. Several
// names are also symbols ("ka"), but nobody mixes the two: either all are names, or none is.
func namedLetters(words []string) []string {
	var letters []string
	found := false
	for i := 0; i < len(words); i++ {
		letter, ok := letterNames[words[i]]
		if i+1 < len(words) && words[i] == "double" && (words[i+1] == "u" || words[i+1] == "you") {
			letter, ok = "w", true
			i++
		}
		if !ok {
			letter = words[i]
		}
		letters, found = append(letters, letter), found || ok
	}
	if !found {
		return nil
	}
	return letters
}

func readingsOf(words []string) []string {
	heard := make([]map[string]bool, len(words)+1) // by the number of words read
	heard[0] = map[string]bool{"": true}
	for i := range words {
		for _, next := range spoken(words[i:]) {
			to := i + next.words
			if heard[to] == nil {
				heard[to] = map[string]bool{}
			}
			for before := range heard[i] {
				for _, symbols := range next.symbols {
					if len(before)+len(symbols) <= codeSymbols {
						heard[to][before+symbols] = true
					}
				}
			}
			if len(heard[to]) > maxReadings {
				return nil
			}
		}
	}
	return slices.Sorted(maps.Keys(heard[len(words)]))
}

// foldSpoken returns a text in lower case, with umlauts and accents as plain letters.
func foldSpoken(s string) string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ToLower(s)))
	return strings.ReplaceAll(folded, "ß", "ss")
}

// heardWords is what the next words may mean: one of several sequences of symbols.
type heardWords struct {
	words   int
	symbols []string
}

// spoken returns the possible readings of the first words.
func spoken(words []string) []heardWords {
	first := words[0]
	if n, same := asIn(words); n > 0 {
		return []heardWords{{n, same}}
	}
	if times, ok := repeats[first]; ok {
		if len(words) == 1 || repeats[words[1]] > 0 {
			return nil
		}
		var all []heardWords
		for _, next := range spoken(words[1:]) {
			again := heardWords{words: next.words + 1}
			for _, symbols := range next.symbols {
				again.symbols = append(again.symbols, strings.Repeat(symbols, times))
			}
			all = append(all, again)
		}
		return all
	}
	symbols := meaning(first)
	if symbols == nil {
		return nil
	}
	all := []heardWords{{1, symbols}}
	if len(words) > 1 && singleSymbol(first) && !singleSymbol(words[1]) && slices.Equal(symbols, meaning(words[1])) {
		all = append(all, heardWords{2, symbols}) // "K Kaufmann", "7 sieben": the same twice
	}
	if pair := tensAndUnit(words); pair != nil {
		all = append(all, *pair)
	}
	return all
}

// asIn reads "K wie Kaufmann" and "K as in kilo"; n is 0 if the words are something else. A
// word that begins with another letter than the one before leaves both possible.
func asIn(words []string) (n int, symbols []string) {
	if len(words) < 3 || !singleSymbol(words[0]) || !asWords[words[1]] {
		return 0, nil
	}
	n = 2
	if inWords[words[2]] && len(words) > 3 {
		n = 3
	}
	symbols = slices.Clone(meaning(words[0]))
	example := words[n]
	if _, number := spokenNumbers[example]; !number {
		r, _ := utf8.DecodeRuneInString(example)
		example = string(r)
	}
	for _, other := range meaning(example) {
		if !slices.Contains(symbols, other) {
			symbols = append(symbols, other)
		}
	}
	return n + 1, symbols
}

// singleSymbol reports whether a word is one letter or digit.
func singleSymbol(word string) bool { return utf8.RuneCountInString(word) == 1 && meaning(word) != nil }

// meaning returns what one word may mean; nil if it belongs to no code.
func meaning(word string) []string {
	if lettersOfNoCode[word] {
		word = "u"
	}
	if digits, ok := spokenNumbers[word]; ok {
		return []string{digits}
	}
	if spellingWords[word] {
		word = word[:1]
	} else if around[word] {
		return []string{""}
	}
	if word == "u" || strings.ContainsRune(word, 'u') && strings.ContainsAny(word, "0123456789") {
		return withoutU(word)
	}
	symbols, ok := caseSymbols(word)
	if !ok || len(symbols) == 0 {
		return nil
	}
	return []string{string(symbols)}
}

// withoutU returns the symbols of a word with U, which no code contains. V looks like it,
// and Q sounds like it in German.
func withoutU(word string) (all []string) {
	for _, letter := range []string{"q", "v"} {
		if symbols, ok := caseSymbols(strings.ReplaceAll(word, "u", letter)); ok {
			all = append(all, string(symbols))
		}
	}
	return all
}

// tensAndUnit reads "seventy three" and "drei und siebzig", which may also be spelled digits.
func tensAndUnit(words []string) *heardWords {
	two := func(tens, unit string) (string, bool) {
		t, u := spokenNumbers[tens], spokenNumbers[unit]
		return t[:min(1, len(t))] + u, wholeTens[tens] && len(u) == 1 && u != "0"
	}
	if len(words) > 1 {
		if digits, ok := two(words[0], words[1]); ok {
			return &heardWords{2, []string{digits}}
		}
	}
	if len(words) > 2 && words[1] == "und" {
		if digits, ok := two(words[2], words[0]); ok {
			return &heardWords{3, []string{digits}}
		}
	}
	return nil
}
