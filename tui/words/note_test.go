package words

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

func TestNoteKnownAndNot(t *testing.T) {
	for lang, want := range map[phrase.Lang][2]string{
		phrase.DE: {"Grund: Dieses Programm wurde ohne Ton gebaut.", "Technischer Grund, auf Englisch: something new"},
		phrase.EN: {"Reason: This program was built without sound.", "Technical reason: something new"},
	} {
		w, err := In(lang)
		if err != nil {
			t.Fatal(err)
		}
		for i, note := range []string{"built without audio", "something\x1b[31m new"} {
			if got := w.Note(note); got != want[i] {
				t.Errorf("%q: got %q, want %q", note, got, want[i])
			}
		}
	}
}
