package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/intake"
	"github.com/tonprobe/tonprobe/server/store"
)

// TestDaysAreThoseOfTheZone: a day that has begun in the zone of the configuration, but not in UTC.
func TestDaysAreThoseOfTheZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at           time.Time
		table, words string
	}{
		{time.Date(2026, 7, 31, 22, 30, 0, 0, time.UTC), "01.08.2026", "1 August 2026"},
		{time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC), "01.01.2027", "1 January 2027"},
		{time.Date(2026, 12, 31, 22, 30, 0, 0, time.UTC), "31.12.2026", "31 December 2026"},
	} {
		i := enroll.Invitation{Participant: store.Participant{ID: "1", Name: "Anna"}, Code: "code", ExpiresAt: c.at}
		var table, letter, erased bytes.Buffer
		if err := printPeople(&table, &intake.Plan{People: []intake.Person{{Invitation: i}}}, address{}, berlin, false, false); err != nil || !strings.Contains(table.String(), ";"+c.table) {
			t.Errorf("%v: got error %v and\n%s\nwant the day %s", c.at, err, table.String(), c.table)
		}
		if err := printInvitation(&letter, i, address{}, berlin, false); err != nil || !strings.Contains(letter.String(), "Valid until: "+c.words+",") {
			t.Errorf("%v: got error %v and\n%s\nwant the day %s", c.at, err, letter.String(), c.words)
		}
		if noteErased(&erased, []intake.Erased{{Name: "Anna", ErasedAt: c.at}}, berlin); !strings.Contains(erased.String(), "erased on "+c.words+"\n") {
			t.Errorf("%v: got\n%s\nwant the day %s", c.at, erased.String(), c.words)
		}
	}
}
