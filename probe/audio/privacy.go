package audio

import (
	"os/user"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Phones and headphones carry their owner's name from the factory on ("Annas
// AirPods"), and Bluetooth devices any name their owner liked. A report only
// needs to say what kind of thing it is.

// personalKinds are the products that are named after their owner when they
// are set up. The longest fit wins.
var personalKinds = []string{
	"AirPods Max", "AirPods Pro", "AirPods", "iPhone", "iPad", "iPod", "Apple Watch", "MacBook Air", "MacBook Pro", "MacBook",
	"iMac", "HomePod", "Galaxy Buds", "Galaxy", "Pixel Buds", "Pixel", "Beats", "Surface Headphones", "Xperia", "Redmi", "Huawei", "OnePlus",
}

// brands may stay in a Bluetooth device's name together with the model.
var brands = []string{
	"AKG", "Anker", "Audio-Technica", "Bang & Olufsen", "Beyerdynamic", "Bose", "Creative", "Dell", "EPOS", "HP", "HyperX", "Jabra",
	"JBL", "Konftel", "Lenovo", "Logitech", "Marshall", "Microsoft", "Nothing", "Panasonic", "Philips", "Plantronics", "Poly",
	"Razer", "Sennheiser", "Shure", "Shokz", "Sony", "Soundcore", "SteelSeries", "Trust", "Yealink",
}

const maxNameRunes = 80

var (
	// possessive is "Anna's ", "Anna Müller’s ", "Klaus' " at the beginning of a name.
	possessive = regexp.MustCompile(`^.*?\pL(?:['’´` + "`" + `]s|s['’´` + "`" + `])\s+`)
	// ownedBy is " von Anna", " de Anna", " of Anna" behind a name.
	ownedBy = regexp.MustCompile(`\s+(?:von|of|de|di|da|du|van|af|av)\s+\p{Lu}.*$`)
	monitor = "Monitor of "
)

// publicName is a device's name without a person's. Bluetooth names count as
// free text of their owner; persons are further names to look for.
func publicName(name string, bluetooth bool, persons []string) string {
	name = cleanName(name)
	if rest, ok := strings.CutPrefix(name, monitor); ok {
		return monitor + publicName(rest, bluetooth, persons)
	}
	// Windows: "Headset (Annas AirPods Hands-Free)": the owner's part is inside.
	if open := strings.Index(name, " ("); open > 0 && strings.HasSuffix(name, ")") {
		outer := publicName(name[:open], false, persons)
		inner := publicName(name[open+2:len(name)-1], bluetooth, persons)
		return outer + " (" + inner + ")"
	}
	if kind, ok := findFold(name, personalKinds); ok {
		return kind
	}
	if bluetooth {
		return bluetoothName(name, persons)
	}
	name = possessive.ReplaceAllString(name, "")
	name = ownedBy.ReplaceAllString(name, "")
	if name == "" || holdsPerson(name, persons) {
		return "Microphone"
	}
	return name
}

// bluetoothName keeps "Jabra Evolve2 65" and turns everything unknown into its class.
func bluetoothName(name string, persons []string) string {
	brand, ok := findFold(name, brands)
	if !ok {
		return "Bluetooth"
	}
	// From the brand on; what stands before it may be the owner's.
	name = ownedBy.ReplaceAllString(name[indexFold(name, brand):], "")
	if holdsPerson(name, persons) {
		return brand
	}
	return name
}

func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r): // no-break spaces too: macOS puts them before the kind
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
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

// findFold returns the first of words that stands in s as whole words, in any case.
func findFold(s string, words []string) (string, bool) {
	i := slices.IndexFunc(words, func(w string) bool { return indexFold(s, w) >= 0 })
	if i < 0 {
		return "", false
	}
	return words[i], true
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

// accountNames are the words of the account's login and full name. Words that
// devices are called by are left out, as is anything shorter than a name.
func accountNames() []string {
	u, err := user.Current()
	if err != nil {
		return []string{}
	}
	names := []string{}
	login := u.Username[strings.LastIndex(u.Username, `\`)+1:] // Windows: DOMAIN\login
	for _, w := range strings.FieldsFunc(login+" "+u.Name, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len([]rune(w)) >= 3 && !slices.Contains(deviceWords, strings.ToLower(w)) {
			names = append(names, w)
		}
	}
	return names
}

var deviceWords = []string{"root", "user", "audio", "usb", "mic", "mikrofon", "microphone", "headset", "test", "default", "stereo", "mono", "analog", "digital"}
