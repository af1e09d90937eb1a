package origin

import "testing"

// TestDisplay: people read names in Unicode, unless letters of another alphabet could be
// mistaken for Latin ones.
func TestDisplay(t *testing.T) {
	for address, want := range map[string]string{
		"https://xn--mnster-3ya.example":        "https://münster.example",
		"https://xn--mnster-3ya.example:8443/b": "https://münster.example:8443/b",
		"xn--strae-oqa.example":                 "straße.example",
		"XN--MNSTER-3YA.example":                "münster.example",
		"https://bbb.example.org":               "https://bbb.example.org",
		"https://[2001:db8::1]:8443":            "https://[2001:db8::1]:8443",
		"https://xn--80ak6aa92e.com":            "https://xn--80ak6aa92e.com", // "apple" in Cyrillic
		"https://xn--pple-43d.com":              "https://xn--pple-43d.com",   // with a Cyrillic a
		"https://xn--a.example":                 "https://xn--a.example",      // not Punycode
		"https://xn--ls8h.example":              "https://xn--ls8h.example",   // an emoji
		"":                                      "",
	} {
		if got := Display(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
