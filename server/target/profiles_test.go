package target

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// TestProfilesAreSent: a target is sent with its own limits, which follow changes of
// the directory, and remain as they were while a file is invalid.
func TestProfilesAreSent(t *testing.T) {
	dir := t.TempDir()
	set := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "rathaus.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const first = "source = \"Rat\"\n[voice.rtt_ms]\nwarn = 300\nsource = \"x\"\n"
	set(first)
	profiles, err := ReadProfiles(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	d := Provider{File: In(t.TempDir()), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(&log, nil)), Profiles: &Profiles{Dir: dir}}
	for name, profile := range map[string]string{"Rat": "rathaus", "Saal": "rathaus", "Dom": "bbb"} {
		target, err := Target{Name: name, System: "bbb", URL: "https://bbb.example.org", Profile: profile}.NormalizeWith(profiles)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.File.Add(t.Context(), target); err != nil {
			t.Fatal(err)
		}
	}
	handed := func() []wire.Profile {
		t.Helper()
		all, err := d.Targets(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return all.Profiles
	}
	if got := handed(); len(got) != 1 || got[0] != (wire.Profile{Name: "rathaus", TOML: first}) {
		t.Errorf("got %+v, want the first version of rathaus", got)
	}
	set("source = \"Rat\"\n[voice.rtt_ms]\nwarn = -3000\n")
	for range 3 {
		if got := handed(); len(got) != 1 || got[0].TOML != first {
			t.Errorf("a broken file is used: %+v; want only the first version", got)
		}
	}
	if strings.Count(log.String(), "rathaus.toml, line 2") != 1 {
		t.Errorf("got log %s; want one line with rathaus.toml, line 2", log.String())
	}
	second := strings.Replace(first, "300", "250", 1)
	set(second)
	if got := handed(); len(got) != 1 || got[0].TOML != second {
		t.Errorf("got %+v, want the second version", got)
	}
	if err := os.Remove(filepath.Join(dir, "rathaus.toml")); err != nil {
		t.Fatal(err)
	}
	if got := handed(); len(got) != 0 {
		t.Errorf("got %+v, want none", got)
	}
}

func TestDirectoryOfProfiles(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "x")
	if _, err := ReadProfiles(missing, true); !errors.Is(err, ErrProfiles) {
		t.Errorf("got error %v, want %v", err, ErrProfiles)
	}
	if all, err := ReadProfiles(missing, false); err != nil || len(all.Names()) != 4 {
		t.Errorf("got error %v, want 4 shipped profiles", err)
	}
	if _, err := (Target{Name: "Rat", System: "bbb", URL: "https://bbb.example.org", Profile: "rathaus"}).Normalize(); err == nil {
		t.Error("got an unknown profile")
	}
}
