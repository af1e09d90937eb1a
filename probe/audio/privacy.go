package audio

import (
	"os/user"
	"strings"
	"unicode"
)

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
		if lower := strings.ToLower(w); len([]rune(w)) >= 3 && lower != "root" && lower != "user" && !isWord(deviceWords, w) {
			names = append(names, w)
		}
	}
	return names
}
