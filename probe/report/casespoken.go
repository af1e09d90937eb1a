package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// SpokenCase parses a code as somebody writes it down while it is spelled, with or
// without other words: "Fall-Code 9E5-5C4", "K wie Kaufmann, sieben, Paula …", "Köln 7
// Potsdam …", "kilo seven papa". It knows the spelling alphabets of DIN 5009 (1996 and
// 2022) and of ICAO. ok is false unless the result is exactly one code.
func SpokenCase(s string) (code string, ok bool) {
	const longest = 300
	if len(s) > longest {
		return "", false
	}
	if code, ok := NormalizeCase(s); ok {
		return code, true
	}
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var b strings.Builder
	for i := 0; i < len(words); i++ {
		word := words[i]
		// "K wie Kaufmann": the letter has been given, whatever word follows.
		if i+2 < len(words) && utf8.RuneCountInString(word) == 1 && isAs(words[i+1]) {
			b.WriteString(word)
			i += 2
			continue
		}
		switch digit, isDigit := spokenDigits[word]; {
		case isDigit:
			b.WriteString(digit)
		case spellingWords[word]:
			first, _ := utf8.DecodeRuneInString(word)
			b.WriteRune(first)
		case around[word]:
		case !onlySymbols(word):
			return "", false
		default:
			b.WriteString(word)
		}
	}
	return NormalizeCase(b.String())
}

func isAs(word string) bool { return word == "wie" || word == "as" || word == "for" || word == "like" }

// onlySymbols reports whether a word may be part of a code.
func onlySymbols(word string) bool {
	for _, r := range word {
		if c, skip := caseSymbol(r); c == 0 || skip {
			return false
		}
	}
	return utf8.RuneCountInString(word) <= 6
}

func wordSet(lists ...string) map[string]bool {
	set := map[string]bool{}
	for _, list := range lists {
		for _, word := range strings.Fields(list) {
			set[word] = true
		}
	}
	return set
}

// around lists the words that people say before or between the symbols.
var around = wordSet("fall code fallcode fallnummer nummer mein meine der die das ist lautet bitte case my the is number bindestrich strich minus dash und and ray")

// spellingWords lists the words that stand for their first letter, if a code can
// contain it.
var spellingWords = wordSet(
	// DIN 5009:1996 and its predecessors.
	"anton berta cäsar caesar charlotte dora emil friedrich gustav heinrich julius kaufmann konrad ludwig martha nordpol otto paula quelle richard samuel siegfried schule theodor viktor victor wilhelm xanthippe xaver ypsilon zacharias zeppelin ida",
	// DIN 5009:2022.
	"aachen berlin chemnitz düsseldorf duesseldorf essen frankfurt goslar hamburg ingelheim jena köln koeln leipzig münchen muenchen nürnberg nuernberg offenbach potsdam quickborn rostock salzwedel tübingen tuebingen völklingen voelklingen wuppertal xanten zwickau",
	// ICAO Annex 10.
	"alfa alpha bravo charlie delta echo foxtrot golf hotel india juliett juliet kilo lima mike november oscar papa quebec romeo sierra tango victor whiskey whisky xray yankee zulu",
)

var spokenDigits = map[string]string{
	"null": "0", "eins": "1", "zwei": "2", "zwo": "2", "drei": "3", "vier": "4", "fünf": "5", "fuenf": "5", "sechs": "6", "sieben": "7", "acht": "8", "neun": "9",
	"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "niner": "9",
}
