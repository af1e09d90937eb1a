package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

func TestChecksCountFromNoonOfTheSessionsDay(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for start, want := range map[string]string{
		"2026-12-01T17:00:00Z": "2026-12-01T11:00:00Z", // 18:00 in Berlin
		"2026-07-01T16:00:00Z": "2026-07-01T10:00:00Z",
		"2026-12-01T08:00:00Z": "2026-11-30T23:00:00Z", // 9:00: since midnight
		"2026-12-01T12:00:00Z": "2026-12-01T11:00:00Z", // 13:00
		"2026-11-30T23:30:00Z": "2026-11-30T23:00:00Z", // 0:30 of the next day
		"2026-10-25T17:00:00Z": "2026-10-25T11:00:00Z", // the day with 25 hours
		"2026-03-29T16:00:00Z": "2026-03-29T10:00:00Z", // the day with 23 hours
	} {
		at, err := time.Parse(time.RFC3339, start)
		if err != nil {
			t.Fatal(err)
		}
		if got := store.RollSince(at, berlin).UTC().Format(time.RFC3339); got != want {
			t.Errorf("session at %s: got checks from %s, want %s", start, got, want)
		}
	}
}

func TestRollCallIsWorstFirst(t *testing.T) {
	since := time.Date(2026, 12, 1, 11, 0, 0, 0, time.UTC)
	member := func(name string, v report.Verdict, at time.Time) store.ParticipantState {
		return store.ParticipantState{Participant: store.Participant{ID: name, Name: name}, Verdict: v,
			Last: &store.ReportSummary{CheckedAt: at, Verdict: v}, Full: &store.FullCheck{Verdict: v, CheckedAt: at}}
	}
	blocked := member("blocked", report.Ready, since)
	blocked.Blocked = true
	heardEarlier := member("heard this morning", report.Ready, since.Add(time.Hour))
	heardEarlier.Full.CheckedAt = since.Add(-time.Hour)
	inPart := member("microphone only", report.Ready, since.Add(time.Hour))
	inPart.Last.ID, inPart.Full.ReportID, inPart.Last.Headline = "r", "r", "ready_microphone_only"
	members := []store.ParticipantState{
		inPart, member("ready", report.Ready, since), heardEarlier, member("yesterday", report.NotReady, since.Add(-24*time.Hour)),
		{Participant: store.Participant{ID: "never", Name: "never"}}, blocked, member("unknown", report.Unknown, since.Add(time.Hour)),
		member("limited", report.Limited, since), member("Zoe", report.NotReady, since), member("Äne", report.NotReady, since),
	}
	want := []struct {
		name  string
		state store.RollState
	}{
		{"Äne", store.RollRed}, {"Zoe", store.RollRed}, {"limited", store.RollAmber}, {"unknown", store.RollAmber}, {"microphone only", store.RollAmber},
		{"blocked", store.RollGrey}, {"never", store.RollGrey}, {"yesterday", store.RollBlue}, {"heard this morning", store.RollBlue}, {"ready", store.RollGreen},
	}
	for range members { // in any order
		members = append(members[1:], members[0])
		roll := store.CallRoll(members, since)
		for i, m := range roll.Members {
			if m.Name != want[i].name || m.State != want[i].state {
				t.Errorf("place %d: got %s %s, want %s %s", i, m.Name, m.State, want[i].name, want[i].state)
			}
		}
		n := 0
		for _, state := range store.RollStates() {
			n += roll.Counts[state]
		}
		if n != len(members) || roll.Counts[store.RollRed] != 2 || roll.Counts[store.RollGreen] != 1 {
			t.Errorf("got counts %v of %d members; want 2 red and 1 green of all", roll.Counts, len(members))
		}
	}
	if !slices.IsSortedFunc(store.CallRoll(members, since).Members, store.RollMember.Compare) {
		t.Error("the members are not in the order of Compare")
	}
}
