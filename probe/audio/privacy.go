package audio

import (
	"os/user"
	"strings"
	"unicode"
)

// accountNames returns the words of the account's login and full name. Words that
// occur in device names, and very short words, are left out.
func accountNames() []string {
	u, err := user.Current()
	if err != nil {
		return []string{}
	}
	names := []string{}
	login := u.Username[strings.LastIndex(u.Username, `\`)+1:] // Windows: DOMAIN\login
	for _, w := range strings.FieldsFunc(login+" "+u.Name, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if lower := strings.ToLower(w); len([]rune(w)) >= 3 && lower != "root" && lower != "user" && !isWord(deviceWords, w) {
			names = append(names, w)
		}
	}
	return names
}
