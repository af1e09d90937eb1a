package main

import (
	"fmt"
	"io"

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
