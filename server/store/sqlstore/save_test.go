package sqlstore

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/server/store"
)

// hold keeps deliveries waiting, as if all lanes were busy, until the returned function writes
// them in one lane after the other.
func (v *saver) hold() (release func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.busy = v.db.lanes
	return func() {
		for range v.db.lanes {
			v.drain()
		}
	}
}

// delivery adds reports to the waiting ones.
func (s *Store) delivery(ctx context.Context, agent string, reports ...store.NewReport) *save {
	one := &save{ctx: ctx, org: s.org, agentID: agent, reports: reports, done: make(chan struct{})}
	for _, r := range reports {
		one.documents = append(one.documents, s.pack.EncodeAll(r.Document, nil))
	}
	s.saver.add(one)
	return one
}

// Each delivery of a group is answered as if it had been alone.
func TestGroupedDeliveries(t *testing.T) {
	onBothEngines(t, func(t *testing.T, s *Store) {
		anna, ofAnna := enrolled(t, s)
		bert, ofBert := enrolled(t, s)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		release := s.saver.hold()
		one, two, lost := newReport(1), newReport(2), newReport(3)
		first := s.delivery(t.Context(), ofAnna, one)
		unknown := s.delivery(t.Context(), "nobody", newReport(4))
		second := s.delivery(t.Context(), ofBert, two, two)
		gone := s.delivery(cancelled, ofBert, lost)
		again := s.delivery(t.Context(), ofAnna, one)
		foreign := s.delivery(t.Context(), ofBert, one)
		release()
		for name, c := range map[string]struct {
			got  *save
			want []store.SaveStatus
			err  error
		}{
			"first":                      {first, []store.SaveStatus{store.Stored}, nil},
			"of an unknown agent":        {unknown, nil, store.ErrNotFound},
			"the same report twice":      {second, []store.SaveStatus{store.Stored, store.Duplicate}, nil},
			"nobody waits for it":        {gone, nil, context.Canceled},
			"again":                      {again, []store.SaveStatus{store.Duplicate}, nil},
			"the id of another's report": {foreign, []store.SaveStatus{store.Foreign}, nil},
		} {
			<-c.got.done
			if !errors.Is(c.got.err, c.err) {
				t.Errorf("%s: got error %v, want %v", name, c.got.err, c.err)
				continue
			}
			var got []store.SaveStatus
			for _, r := range c.got.results {
				got = append(got, r.Status)
			}
			if c.err == nil && !slices.Equal(got, c.want) {
				t.Errorf("%s: got %v, want %v", name, got, c.want)
			}
		}
		for id, want := range map[string]int{anna: 1, bert: 1} {
			if n, err := s.CountReports(t.Context(), id); err != nil || n != want {
				t.Errorf("got %d reports, error %v; want %d", n, err, want)
			}
		}
	})
}

// A delivery that the database refuses makes no other of its group fail.
func TestOneOfAGroupIsRefused(t *testing.T) {
	onBothEngines(t, func(t *testing.T, s *Store) {
		refuse := `ALTER TABLE reports ADD CONSTRAINT refuse CHECK (case_code <> 'BAD-BAD')`
		if s.write.dialect.folder == "sqlite" {
			refuse = `CREATE TRIGGER refuse BEFORE INSERT ON reports WHEN NEW.case_code = 'BAD-BAD' BEGIN SELECT RAISE(ABORT, 'refused'); END`
		}
		if _, err := s.write.exec(t.Context(), refuse); err != nil {
			t.Fatal(err)
		}
		person, agent := enrolled(t, s)
		_, other := enrolled(t, s)
		release := s.saver.hold()
		bad := newReport(2)
		bad.Report.Case = "BAD-BAD"
		before, refused, after := s.delivery(t.Context(), agent, newReport(1)), s.delivery(t.Context(), other, bad), s.delivery(t.Context(), agent, newReport(3))
		release()
		if refused.err == nil {
			t.Error("the refused delivery was acknowledged")
		}
		for _, d := range []*save{before, after} {
			if d.err != nil || d.results[0].Status != store.Stored {
				t.Errorf("got %+v, error %v; want it stored", d.results, d.err)
			}
		}
		if n, err := s.CountReports(t.Context(), person); err != nil || n != 2 {
			t.Errorf("got %d reports, error %v; want 2", n, err)
		}
	})
}

// A transaction is limited, and contains deliveries of one organisation.
func TestGroupsAreLimited(t *testing.T) {
	type delivery struct {
		org     string
		reports int
	}
	times := func(n int, d delivery) []delivery { return slices.Repeat([]delivery{d}, n) }
	for name, c := range map[string]struct {
		waiting []delivery
		want    []int // deliveries of each group
	}{
		"many deliveries":   {times(maxGroupSaves+6, delivery{"a", 1}), []int{maxGroupSaves, 6}},
		"many reports":      {times(3, delivery{"a", maxGroupReports/2 - 1}), []int{2, 1}},
		"exactly the limit": {times(3, delivery{"a", maxGroupReports / 2}), []int{2, 1}},
		"one too large":     {[]delivery{{"a", maxGroupReports + 1}, {"a", 1}}, []int{1, 1}},
		"two organisations": {[]delivery{{"a", 1}, {"b", 1}, {"a", 1}, {"b", 1}, {"b", 1}}, []int{2, 3}},
		"none":              {nil, nil},
		"an empty delivery": {[]delivery{{"a", 0}, {"a", 1}}, []int{2}},
	} {
		v := &saver{}
		for _, d := range c.waiting {
			v.waiting = append(v.waiting, &save{ctx: t.Context(), org: d.org, reports: make([]store.NewReport, d.reports)})
		}
		var got []int
		for group := v.next(); group != nil; group = v.next() {
			got = append(got, len(group))
			for _, one := range group {
				if one.org != group[0].org {
					t.Errorf("%s: a group of two organisations", name)
				}
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got groups of %v, want %v", name, got, c.want)
		}
	}
}
