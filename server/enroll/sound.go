package enroll

import "strings"

// BreaksSound returns the character sequences in a name that break the sound of some
// versions of BigBlueButton (errors 1006 and 0): the name becomes part of the caller id in a
// SIP header and of FreeSWITCH's commands, which do not quote it (issues 22434, 12310, 11675
// and 15677 of bigbluebutton/bigbluebutton). The name is a warning, not an error: other
// systems and versions accept it, and in the session the person may use another one.
func BreaksSound(name string) []string {
	var found []string
	for _, mark := range []string{`"`, `\`, `:/`, `::`} {
		if strings.Contains(name, mark) {
			found = append(found, mark)
		}
	}
	return found
}
