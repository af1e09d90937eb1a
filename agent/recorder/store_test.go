package recorder

import (
	"path/filepath"
	"testing"
	"time"
)

func TestEventsOfAForeignFile(t *testing.T) {
	data := t.TempDir()
	ring, err := openRing(filepath.Join(data, Folder), eventLayout)
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{
		`{`, `null`, `{"at":"2026-03-02T18:00:00Z","kind":"exploded"}`,
		`{"at":"2026-03-02T18:00:00Z","kind":"client_crashed","program":"tagebuch.exe"}`,
		`{"at":"2026-03-02T18:00:00Z","kind":"client_crashed","program":"Zoom","detail":"C:\\Users\\Anna"}`,
		`{"at":"2026-03-02T18:00:00Z","kind":"client_crashed","program":"Zoom","duration_s":-5}`,
		`{"at":"2026-03-02T18:00:00Z","kind":"client_crashed","program":"Zoom","detail":"sigsegv"}`,
	} {
		if err := ring.append([]byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	_ = ring.close()
	if events, err := Events(data, time.Time{}); err != nil || kinds(events) != "client_crashed Zoom" {
		t.Errorf("got %+v, %v, want the crash of Zoom", events, err)
	}
}
