package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/tonprobe/tonprobe/server/enroll"
)

// noteDuplicates lists the participants who already have the name or the phone
// number that was stored. It is only a note, because scripts add people too; the
// caller prints how to correct it.
func noteDuplicates(w io.Writer, list []enroll.Duplicate) {
	for _, d := range list {
		shared := "this name"
		switch {
		case d.SameName && d.SamePhone:
			shared = "this name and phone number"
		case d.SamePhone:
			shared = "this phone number"
		}
		_, _ = fmt.Fprintf(w, "Note: there is already a participant with %s: %s (%s)\n", shared, d.Name, d.ID)
	}
}

// noteName warns of a name that breaks the sound of some versions of BigBlueButton.
func noteName(w io.Writer, name string) {
	if marks := enroll.BreaksSound(name); len(marks) > 0 {
		_, _ = fmt.Fprintf(w, "Warning: the name contains %s. With such a name the sound of some versions of BigBlueButton fails (errors 1006 and 0): write it without.\n", inWords(marks))
	}
}

// inWords returns a list in words: a, b and c.
func inWords(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
