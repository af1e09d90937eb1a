package report

import "strings"

// The words by which codes are spelled. All are folded (foldSpoken), and umlauts are there
// as one letter and as two.

func wordSet(lists ...string) map[string]bool {
	set := map[string]bool{}
	for _, list := range lists {
		for word := range strings.FieldsSeq(list) {
			set[word] = true
		}
	}
	return set
}

var (
	// asWords and inWords are the words between a letter and its example: "as in".
	asWords = wordSet("wie fur fuer von as for like")
	inWords = wordSet("in im bei")

	// around lists the words that people say before or between the symbols.
	around = wordSet("fall code fallcode fallnummer nummer mein meine der die das ist lautet bitte case my the is number bindestrich strich minus dash hyphen und and ray dann then gross grosses klein kleines capital upper lower buchstabe zahl ziffer letter digit")

	// repeats are the words that repeat the next symbol.
	repeats = map[string]int{"doppel": 2, "doppelt": 2, "doppeltes": 2, "zweimal": 2, "double": 2, "dreifach": 3, "dreimal": 3, "triple": 3}

	// spellingWords lists the words that stand for their first letter, if a code can
	// contain it.
	spellingWords = wordSet(
		// DIN 5009:1996 and before, as far as the words are still in use.
		"albert anton berta bertha casar caesar charlotte david dora emil friedrich gustav heinrich ida isidor jakob julius karl kaufmann konrad kurfurst kurfuerst ludwig marie martha nathan nordpol otto paul paula quelle richard samuel siegfried schule theodor toni viktor victor wilhelm xanthippe xaver xantippe ypern ypsilon zacharias zeppelin",
		// DIN 5009:2022.
		"aachen berlin chemnitz cottbus dusseldorf duesseldorf essen frankfurt goslar hamburg ingelheim jena koln koeln leipzig munchen muenchen nurnberg nuernberg offenbach potsdam quickborn rostock salzwedel tubingen tuebingen volklingen voelklingen wuppertal xanten zwickau",
		// Austria and Switzerland.
		"anna daniel kaiser leopold niklaus norbert peter quasi rosa sophie yverdon zurich zuerich",
		// ICAO Annex 10.
		"alfa alpha bravo charlie delta echo foxtrot golf hotel india juliett juliet kilo lima mike november oscar oskar papa quebec romeo sierra tango victor whiskey whisky xray yankee zulu",
	)

	// lettersOfNoCode are the spelling words and names of U.
	lettersOfNoCode = wordSet("ulrich unna uniform umlaut uh you")

	// letterNames are the names of letters as people write them down, in German and in English. Some of
	// them are also two or three symbols of a code.
	letterNames = letters(map[string]string{
		"a": "ah", "b": "be beh bee", "c": "ce zeh tse tseh cee see", "d": "de deh dee", "e": "eh", "f": "ef eff", "g": "ge geh gee", "h": "ha hah aitch haitch", "1": "ih el ell",
		"j": "jot jott jay", "k": "ka kah kay", "m": "em emm", "n": "en enn", "0": "oh", "p": "pe peh pee", "q": "ku kuh cue queue", "r": "er err ar", "s": "es ess", "t": "te teh tee",
		"v": "vau fau vee", "w": "we weh", "x": "ix iks ex eks", "y": "wye why", "z": "zet zett zed zee",
	})

	spokenNumbers = numbers()
	// wholeTens are the numbers to which the next digit may be added: "twenty", "one".
	wholeTens = wordSet("zwanzig dreissig dreizig vierzig funfzig fuenfzig sechzig siebzig achtzig neunzig twenty thirty forty fifty sixty seventy eighty ninety")
)

// letters returns the symbols of the names of letters.
func letters(names map[string]string) map[string]string {
	all := map[string]string{}
	for symbol, words := range names {
		for word := range strings.FieldsSeq(words) {
			all[word] = symbol
		}
	}
	return all
}

// numbers returns the digits of the numbers up to 99, by their words.
func numbers() map[string]string {
	all := map[string]string{}
	add := func(digits, words string) {
		for word := range strings.FieldsSeq(words) {
			all[word] = digits
		}
	}
	// inside contains the units of composed numbers, such as "ein" in "einundzwanzig".
	inside := map[string]string{}
	for digit, words := range map[string]string{
		"0": "null zero", "1": "eins ein eine one", "2": "zwei zwo zwoo two", "3": "drei dree three tree", "4": "vier four fower", "5": "funf fuenf fuennef funnef five fife",
		"6": "sechs six", "7": "sieben seven", "8": "acht eight ait", "9": "neun nine niner",
	} {
		add(digit, words)
		for word := range strings.FieldsSeq(words) {
			inside[word] = digit
		}
	}
	delete(inside, "null")
	delete(inside, "zero")
	add("10", "zehn ten")
	add("11", "elf eleven")
	add("12", "zwolf zwoelf twelve")
	for i, words := range []string{"dreizehn thirteen", "vierzehn fourteen", "funfzehn fuenfzehn fifteen", "sechzehn sixteen", "siebzehn seventeen", "achtzehn eighteen", "neunzehn nineteen"} {
		add("1"+string(rune('3'+i)), words)
	}
	for i, words := range []string{"zwanzig twenty", "dreissig dreizig thirty", "vierzig forty", "funfzig fuenfzig fifty", "sechzig sixty", "siebzig seventy", "achtzig eighty", "neunzig ninety"} {
		tens := string(rune('2' + i))
		add(tens+"0", words)
		for ten := range strings.FieldsSeq(words) {
			for unit, digit := range inside {
				all[unit+"und"+ten] = tens + digit
			}
		}
	}
	return all
}
