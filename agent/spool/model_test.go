package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"
)

// model checks the invariant of a spool: each report that Put accepted is waiting,
// was removed on purpose, or is recorded as dropped.
type model struct {
	t     *testing.T
	rng   *rand.Rand
	disk  *faultyDisk
	spool *Spool
	now   time.Time
	made  int

	docs  map[string]string // every report that was put
	taken map[string]bool   // Put returned nil
	sent  map[string]bool   // MarkSent was called
}

func (m *model) open() {
	s, err := New(m.t.Context(), Config{
		FS: m.disk, Lock: noLock{}, Limits: Limits{Reports: 12, Age: 40 * time.Minute},
		Now: func() time.Time { return m.now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.spool = s
}

func (m *model) step() error {
	m.now = m.now.Add(time.Duration(m.rng.IntN(300)) * time.Second)
	switch n := m.rng.IntN(10); {
	case n < 6:
		return m.put()
	case n < 8:
		return m.withOldest(func(e Entry) error {
			m.sent[e.ID] = true
			return m.spool.MarkSent(m.t.Context(), e)
		})
	case n < 9:
		return m.withOldest(func(e Entry) error { return m.spool.Quarantine(m.t.Context(), e, "refused") })
	}
	m.now = m.now.Add(time.Hour * time.Duration(m.rng.IntN(3)-1)) // the clock is adjusted
	return nil
}

func (m *model) put() error {
	m.made++
	id := fmt.Sprintf("%012x", m.now.UnixMilli())
	id = fmt.Sprintf("%s-%s-7000-8000-%012x", id[:8], id[8:], m.made)
	doc := fmt.Sprintf(`{"id":%q,"n":%d}`, id, m.rng.Int())
	m.docs[id] = doc
	err := m.spool.Put(m.t.Context(), id, []byte(doc))
	if err == nil {
		m.taken[id] = true
	}
	return err
}

func (m *model) withOldest(do func(Entry) error) error {
	waiting, err := m.spool.List(Waiting)
	if err != nil || len(waiting) == 0 {
		return err
	}
	return do(waiting[0])
}

// verify compares the spool with the model.
func (m *model) verify() {
	m.t.Helper()
	all, err := m.spool.All()
	if err != nil {
		m.t.Fatal(err)
	}
	drops, _, err := m.spool.Drops()
	if err != nil {
		m.t.Fatal(err)
	}
	accounted := map[string]bool{}
	for _, d := range drops {
		accounted[d.ID] = true
	}
	for _, e := range all {
		doc, err := m.spool.Read(e)
		if err != nil {
			m.t.Fatalf("%s in %q: got error %v, want nil", e.ID, e.State, err)
		}
		if string(doc) != m.docs[e.ID] {
			m.t.Fatalf("%s contains %q, want %q", e.ID, doc, m.docs[e.ID])
		}
		if e.State == Sent && !m.sent[e.ID] {
			m.t.Fatalf("%s is recorded as sent, but was not sent", e.ID)
		}
		accounted[e.ID] = true
	}
	for id := range m.taken {
		if !accounted[id] && !m.sent[id] {
			m.t.Fatalf("%s is missing without a record", id)
		}
	}
}

func TestNothingIsLostOnAFaultyDisk(t *testing.T) {
	for seed := range uint64(80) {
		rng := rand.New(rand.NewPCG(seed, 7))
		m := &model{
			t: t, rng: rng, disk: newFaultyDisk(rng), now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
			docs: map[string]string{}, taken: map[string]bool{}, sent: map[string]bool{},
		}
		m.open()
		for range 6 { // restarts
			m.disk.callsLeft = rng.IntN(120)
			m.disk.full = []float64{0, 0.3}[rng.IntN(2)]
			var err error
			for range 40 {
				if err = m.step(); errors.Is(err, errPowerCut) {
					break
				}
				if err != nil && !errors.Is(err, ErrDiskFull) {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if m.disk.dead {
					break
				}
				m.verify()
			}
			m.disk.dead = true
			m.disk.reboot()
			m.open()
			for name := range m.disk.files {
				if name[0] == '.' {
					t.Fatalf("seed %d: %s was left behind", seed, name)
				}
			}
			m.verify()
		}
	}
}

func TestDamageIsFoundAndNotSent(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m := &model{
		t: t, rng: rng, disk: newFaultyDisk(rng), now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		docs: map[string]string{}, taken: map[string]bool{}, sent: map[string]bool{},
	}
	m.open()
	for range 3 {
		if err := m.put(); err != nil {
			t.Fatal(err)
		}
	}
	damaged := m.disk.rot()
	waiting, err := m.spool.List(Waiting)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range waiting {
		_, err := m.spool.Read(e)
		if c, ok := errors.AsType[*CorruptError](err); ok {
			found = append(found, c.ID)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) != 1 || found[0] != damaged {
		t.Errorf("got %v, want %s", found, damaged)
	}
}
