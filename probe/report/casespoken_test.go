package report

import "testing"

func TestSpokenCase(t *testing.T) {
	for s, want := range map[string]string{
		"9E5-5C4":               "9E5-5C4",
		"Fall-Code 9E5-5C4":     "9E5-5C4",
		"mein Code ist 9E5 5C4": "9E5-5C4",
		"Fallcode: 9e5 5c4.":    "9E5-5C4",
		"K wie Kaufmann, 7, P wie Paula, 3, Q wie Quelle, X wie Xanthippe": "K7P-3QX",
		"K wie Konrad sieben P wie Peter drei Q wie Quark X wie Xylophon":  "K7P-3QX",
		"Kaufmann sieben Paula drei Quelle Xanthippe":                      "K7P-3QX",
		"Köln sieben Potsdam Bindestrich drei Quickborn Xanten":            "K7P-3QX",
		"koeln 7 potsdam drei quickborn xanten":                            "K7P-3QX",
		"kilo seven papa dash three quebec x-ray":                          "K7P-3QX",
		"K as in Kilo 7 P 3 Q X":                                           "",
		"K as kilo 7 p 3 q x":                                              "K7P-3QX",
		"zwo null drei eins fünf acht":                                     "203-158",
		"Otto Ida Ludwig null eins zwei":                                   "011-012",
		"Aachen Chemnitz neun fuenf Dora Emil":                             "AC9-5DE",
		"Müller":                                                           "",
		"Anna Kaufmann":                                                    "",
		"Kaufmann":                                                         "",
		"Anton Berta Dora":                                                 "",
		"":                                                                 "",
		"der die das":                                                      "",
		"K7P-3QX K7P-3QY":                                                  "",
		"sieben sieben sieben":                                             "",
	} {
		if got, ok := SpokenCase(s); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", s, got, ok, want)
		}
	}
}

func TestCasePart(t *testing.T) {
	for s, want := range map[string]string{"9e5": "9E5", "5-5c": "55C", "k7p3qx": "K7P3QX", "oil": "011", "9e": "", "müller": "", "k7p3qxx": "", "": ""} {
		if got, ok := CasePart(s); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v, want %q", s, got, ok, want)
		}
	}
}

func FuzzSpokenCase(f *testing.F) {
	f.Add("K wie Kaufmann, 7, P wie Paula")
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := SpokenCase(s)
		if again, okAgain := NormalizeCase(code); ok && (!okAgain || again != code) {
			t.Errorf("%q: %q is no code", s, code)
		}
	})
}
