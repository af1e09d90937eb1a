package rig

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

func TestTemplatesAreFullChecks(t *testing.T) {
	kinds, err := Templates()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)
	const agent = "3b241101-e2bb-4255-8caf-4136c566a962"
	want := []report.Verdict{report.Ready, report.NotReady, report.Limited}
	ids := map[string]bool{}
	for i, kind := range kinds {
		for range 2 {
			r, document, err := kind.New(agent, at)
			if err != nil {
				t.Fatal(err)
			}
			read, err := report.Decode(document)
			if err != nil {
				t.Fatalf("%v\n%s", err, document)
			}
			if read.ID != r.ID || read.Case != r.Case || read.Agent != r.Agent || !read.StartedAt.Equal(r.StartedAt) || read.Verdict != want[i] {
				t.Errorf("kind %d: decoded %+v, want %+v", i, read, r)
			}
			if ids[r.ID] {
				t.Errorf("the id %s is a duplicate", r.ID)
			}
			ids[r.ID] = true
			if len(document) < 3000 || len(document) > 6000 {
				t.Errorf("kind %d has %d bytes, want 3000 to 6000", i, len(document))
			}
		}
	}
}
