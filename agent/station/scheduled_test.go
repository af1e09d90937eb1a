package station

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestTheScheduleSurvivesARestart(t *testing.T) {
	m := scheduleMemory{data: t.TempDir(), log: slog.New(slog.DiscardHandler)}
	start := time.Date(2026, 12, 1, 17, 0, 0, 0, time.UTC)
	if got := m.Load(); len(got.Runs) != 0 || m.next() != nil {
		t.Errorf("without a file: got %+v, next %+v; want Runs none, nil", got, m.next())
	}
	h := resident.History{}.With(resident.Made{At: start, Kind: resident.Small}).With(resident.Made{At: start.Add(time.Minute), Kind: resident.Full, Session: start, Failed: true})
	m.Save(h, resident.Check{Kind: resident.Full, At: start.Add(time.Hour), Session: &wire.Session{StartsAt: start.Add(2 * time.Hour)}})
	if got := m.Load(); !reflect.DeepEqual(got, h) {
		t.Errorf("got %+v, want %+v", got, h)
	}
	if next := m.next(); next == nil || !next.At.Equal(start.Add(time.Hour)) || !next.Session.Equal(start.Add(2*time.Hour)) {
		t.Errorf("got next %+v; want non-nil, At %v, Session %v", next, start.Add(time.Hour), start.Add(2*time.Hour))
	}
	for _, damaged := range []string{"", "{", `{"runs":{}}`, `{"runs":[{"at":"yesterday"}]}`, "\x00\x00"} {
		if err := os.WriteFile(filepath.Join(m.data, scheduleFile), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := m.Load(); len(got.Runs) != 0 {
			t.Errorf("%q: got %+v, want a new history", damaged, got)
		}
	}
}

func TestOptionsOfAScheduledCheck(t *testing.T) {
	s, err := Open(config.Config{Data: t.TempDir(), Profile: "default", Target: "https://own.example.org"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.learnTargets(wire.Targets{Targets: []wire.Target{{Name: "Rat", System: "bbb", URL: "https://bbb.example.org", Profile: "bbb"}}})
	session := func(target, profile string) *wire.Session {
		return &wire.Session{StartsAt: time.Unix(1, 0), Target: target, Profile: profile}
	}
	for name, c := range map[string]struct {
		check           resident.Check
		only, noAudio   bool
		target, profile string
	}{
		"small":             {resident.Check{Kind: resident.Small}, true, false, "https://own.example.org", "default"},
		"first":             {resident.Check{Kind: resident.Full}, false, false, "https://own.example.org", "default"},
		"session":           {resident.Check{Kind: resident.Full, Session: session("Rat", "bbb")}, false, true, "Rat", "bbb"},
		"session of others": {resident.Check{Kind: resident.Full, Session: session("removed", "unknown")}, false, true, "https://own.example.org", "default"},
		"session without":   {resident.Check{Kind: resident.Full, Session: session("", "")}, false, true, "https://own.example.org", "default"},
	} {
		o := s.scheduledOptions("1", c.check)
		if (len(o.Only) > 0) != c.only || o.NoAudio != c.noAudio || o.Target != c.target || o.Profile != c.profile || o.Trigger != report.TriggerSchedule {
			t.Errorf("%s: got %+v, want %+v", name, o, c)
		}
	}
}
