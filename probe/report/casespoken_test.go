package report

import (
	"slices"
	"strings"
	"testing"
)

func TestSpokenCases(t *testing.T) {
	for s, want := range map[string]string{
		"9E5-5C4":               "9E5-5C4",
		"Fall-Code 9E5-5C4":     "9E5-5C4",
		"mein Code ist 9E5 5C4": "9E5-5C4",
		"Fallcode: 9e5 5c4.":    "9E5-5C4",
		"oil-oil":               "011-011",
		"K wie Kaufmann, 7, P wie Paula, 3, Q wie Quelle, X wie Xanthippe":  "K7P-3QX",
		"K wie Konrad sieben P wie Peter drei Q wie Quark X wie Xylophon":   "K7P-3QX",
		"Kaufmann sieben Paula drei Quelle Xanthippe":                       "K7P-3QX",
		"Köln sieben Potsdam Bindestrich drei Quickborn Xanten":             "K7P-3QX",
		"KO\u0308LN 7 potsdam drei quickborn xanten":                        "K7P-3QX",
		"koeln 7 potsdam drei quickborn xanten":                             "K7P-3QX",
		"koln 7 potsdam drei quickborn xanten":                              "K7P-3QX",
		"kilo seven papa dash three quebec x-ray":                           "K7P-3QX",
		"K as in Kilo 7 P 3 Q X":                                            "K7P-3QX",
		"K for Kilo, seven, P for Papa, three, Q like queen, X as in x-ray": "K7P-3QX",
		"K as kilo 7 p 3 q x":                                               "K7P-3QX",
		"K für Kaufmann, sieben, P fuer Paula, 3, Q von Quelle, X":          "K7P-3QX",
		"großes K, Ziffer sieben, Buchstabe P dann drei, Q, X":              "K7P-3QX",
		"K Kaufmann 7 sieben P Paula 3 drei Q X":                            "K7P-3QX",
		"zwo null drei eins fünf acht":                                      "203-158",
		"zwo null drei eins fu\u0308nf acht":                                "203-158",
		"dreiundsiebzig fünfundzwanzig elf":                                 "732-511",
		"zwölf zwoelf zwanzig":                                              "121-220",
		"doppel sieben P doppel K X":                                        "77P-KKX",
		"triple five double papa x-ray":                                     "555-PPX",
		"dreimal neun dreimal Emil":                                         "999-EEE",
		"Otto Ida Ludwig null eins zwei":                                    "011-012",
		"Aachen Chemnitz neun fuenf Dora Emil":                              "AC9-5DE",
		"Zürich, Österreich":                                                "",
		"Müller":                                                            "",
		"Anna Kaufmann":                                                     "",
		"Kaufmann":                                                          "",
		"Anton Berta Dora":                                                  "",
		"":                                                                  "",
		"der die das":                                                       "",
		"K7P-3QX K7P-3QY":                                                   "",
		"sieben sieben sieben":                                              "",
		strings.Repeat("double ", 40) + "K":                                 "",
		"doppelt":                                                           "",
		"K wie":                                                             "",
		strings.Repeat("und ", 100) + "K7P-3QX":                             "",
		"Ha sechs Vau Ka Emm Zett":                                          "H6V-KMZ",
		"Zett, Ypsilon, Ix, zwo, Jott, Eff":                                 "ZYX-2JF",
		"Ce Ge Te Pe Er Es":                                                 "CGT-PRS",
		"Weh Kuh Enn El Oh Deh":                                             "WQN-10D",
		"Ha wie Heinrich, sechs, Vau wie Viktor, Ka, Emm, Zett":             "H6V-KMZ",
		"Cäsar Zeppelin Ypsilon Nordpol Siegfried Kaufmann":                 "CZY-NSK",
		"Caesar Nürnberg Köln zwo drei Zacharias":                           "CNK-23Z",
		"aitch, six, vee, kay, em, zed":                                     "H6V-KMZ",
		"cue jay double-u why zee ar":                                       "QJW-YZR",
		"cue jay double u x":                                                "",
		"KAY 3QX":                                                           "KAY-3QX",
		"Code KAY 3QX":                                                      "KAY-3QX",
		"HA BE DE":                                                          "HAB-EDE",
		"Ha Ka sechs sieben acht":                                           "",
		"Ka sieben HA 3Q":                                                   "",
		"Ka 7P3 QX":                                                         "K7P-3QX",
		"Ka Uh sieben drei Ku Ix":                                           "KQ7-3QX KV7-3QX",
		// Contradictory or impossible parts yield several codes to choose from.
		"B wie Paula 7 7 7 7 7":      "B77-777 P77-777",
		"K wie Cäsar 7 P 3 Q X":      "C7P-3QX K7P-3QX",
		"F wie Vogel 7 P 3 Q X":      "F7P-3QX V7P-3QX",
		"I wie Ludwig 7 P 3 Q X":     "17P-3QX",
		"K7P-3UX":                    "K7P-3QX K7P-3VX",
		"K 7 P 3 U X":                "K7P-3QX K7P-3VX",
		"Kilo 7 Papa 3 Uniform x":    "K7P-3QX K7P-3VX",
		"K seventy three P Q X":      "K73-PQX",
		"K seventy three Q X":        "K70-3QX",
		"K drei und siebzig P Q X":   "K73-PQX",
		"K Kaufmann P Paula 3 Q X":   "KKP-3QX KPP-3QX",
		strings.Repeat("u u ", 1000): "",
	} {
		got := strings.Join(SpokenCases(s), " ")
		if got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
		one, ok := SpokenCase(s)
		if certain := want != "" && !strings.Contains(want, " "); ok != certain || ok && one != want {
			t.Errorf("%q: got the single code %q, ok %v; want %q, %v", s, one, ok, want, certain)
		}
	}
}

// TestEverySpellingWordIsReachable: a word that folding changes would never be found.
func TestEverySpellingWordIsReachable(t *testing.T) {
	for _, set := range []map[string]bool{spellingWords, around, asWords, lettersOfNoCode, wholeTens} {
		for word := range set {
			if folded := foldSpoken(word); folded != word {
				t.Errorf("%q is folded to %q", word, folded)
			}
		}
	}
	for word := range spellingWords {
		if code, ok := SpokenCase(word + " 12345"); !ok || code[1:] != "12-345" {
			t.Errorf("%q: got %q, ok %v, want one symbol before 12-345", word, code, ok)
		}
	}
}

// TestEveryLetterNameIsReachable: each name stands for its letter.
func TestEveryLetterNameIsReachable(t *testing.T) {
	for name, symbol := range letterNames {
		if code, ok := SpokenCase(name + " 12345"); !ok || code != strings.ToUpper(symbol)+"12-345" || spellingWords[name] || around[name] {
			t.Errorf("%q: got %q, ok %v, want %s12-345", name, code, ok, symbol)
		}
	}
}

func TestSpokenPart(t *testing.T) {
	for s, want := range map[string]string{"9e5": "9E5", "k7p3qx": "K7P3QX", "9e": "", "müller": "", "": "", "K wie Kaufmann sieben Paula": "K7P", "Anton Berta": "", "Kilo sieben": "",
		"B wie Paula 7 7": "", "Kaufmann sieben Paula drei Quelle Xanthippe": ""} {
		if got, ok := SpokenPart(s); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q, ok %v; want %q", s, got, ok, want)
		}
	}
}

func TestCasePart(t *testing.T) {
	for s, want := range map[string]string{"9e5": "9E5", "5-5c": "55C", "k7p3qx": "K7P3QX", "oil": "011", "9e": "", "müller": "", "k7p3qxx": "", "": ""} {
		if got, ok := CasePart(s); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q, ok %v; want %q", s, got, ok, want)
		}
	}
}

func FuzzSpokenCases(f *testing.F) {
	for _, s := range []string{"K wie Kaufmann, 7, P wie Paula", "B wie Paula 7 7 7 7 7", "K 7 P 3 U X", "doppel doppel K", "K as in", "drei und siebzig", "u u u u u u", "Ha sechs Vau Ka Emm Zett", "double u ka wie"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		codes := SpokenCases(s)
		if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) || len(codes) > maxReadings {
			t.Errorf("%q: the codes %q are not sorted and unique", s, codes)
		}
		for _, code := range codes {
			if again, ok := NormalizeCase(code); !ok || again != code {
				t.Errorf("%q: got an invalid code %q", s, code)
			}
		}
		if part, ok := SpokenPart(s); ok {
			if again, ok := CasePart(part); !ok || again != part {
				t.Errorf("%q: got an invalid part %q", s, part)
			}
		}
	})
}
