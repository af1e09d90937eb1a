package systemcode

import (
	"slices"
	"strings"
	"unicode"
)

// maxReadOut is the maximum length of the text that is parsed.
const maxReadOut = 200

// DefaultSystem is the system of a code that is read out without one.
const DefaultSystem = "bbb"

// names contains the words by which people call a system, in lower case without spaces
// and hyphens.
func names() map[string]string {
	return map[string]string{
		"bbb": "bbb", "bigbluebutton": "bbb", "bigblue": "bbb", "greenlight": "bbb",
		"zoom": "zoom", "teams": "teams", "msteams": "teams", "webex": "webex", "jitsi": "jitsi", "livekit": "livekit",
		"opentalk": "opentalk", "youtube": "youtube", "janus": "janus", "whip": "whip",
	}
}

// Parse parses a code as it is read out, such as "1007", "Fehler 1007", "ICE 1004" or
// "bbb 1010". The system is DefaultSystem if none is named; it may be one without known
// codes. The number is "" if the text contains none. Of several numbers, as in "BBB 3.0:
// 1007", it is the first one known for the system; long numbers precede short ones.
func Parse(text string) (system, number string) {
	if len(text) > maxReadOut {
		text = text[:maxReadOut]
	}
	system = DefaultSystem
	squeezed := strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(text))
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if named, ok := names()[word]; ok {
			system = named
		}
	}
	if strings.Contains(squeezed, "bigbluebutton") {
		system = "bbb"
	}
	runs := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	// The digits may be spoken in groups: "10 07".
	runs = append(runs, strings.Join(runs, ""))
	for _, meant := range []func(string) bool{
		func(n string) bool { return len(n) > 2 && known(system, n) },
		func(n string) bool { return len(n) > 2 && n != runs[len(runs)-1] },
		func(n string) bool { return known(system, n) },
	} {
		if i := slices.IndexFunc(runs, meant); i >= 0 {
			return system, runs[i][:min(len(runs[i]), maxNumberDigits)]
		}
	}
	return system, runs[0][:min(len(runs[0]), maxNumberDigits)]
}

// Named returns the system with known codes that people call by a name such as "BBB" or
// "BigBlueButton"; it is not ok for other names.
func Named(name string) (system string, ok bool) {
	system = names()[strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(name))]
	return system, slices.Contains(Systems(), system)
}

// maxNumberDigits is longer than any code.
const maxNumberDigits = 8

func known(system, number string) bool {
	return slices.ContainsFunc(Codes(system), func(c Code) bool { return c.is(number) })
}

// is reports whether a number is one of the code's, with or without leading zeros.
func (c Code) is(number string) bool {
	if number = strings.TrimSpace(number); len(number) > 1 {
		number = strings.TrimLeft(number, "0")
	}
	return c.Number == number || slices.Contains(c.Aliases, number)
}
