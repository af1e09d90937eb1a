package sqlstore

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// BenchmarkSave saves from 64 concurrent senders, in batches and one at a time. One
// operation is one report.
func BenchmarkSave(b *testing.B) {
	for engine, open := range map[string]func(b *testing.B) *Store{
		"SQLite": func(b *testing.B) *Store {
			s, err := OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "c.db"), Options{})
			if err != nil {
				b.Fatal(err)
			}
			return s
		},
		"PostgreSQL": func(b *testing.B) *Store {
			s, err := OpenPostgres(b.Context(), pgtest.Database(b), Options{})
			if err != nil {
				b.Fatal(err)
			}
			return s
		},
	} {
		for name, batch := range map[string]int{"batches of 50": 50, "one by one": 1} {
			b.Run(engine+"/"+name, func(b *testing.B) {
				s := open(b)
				defer func() { _ = s.Close() }()
				saveAll(b, s, 64, batch)
			})
		}
	}
}

func saveAll(b *testing.B, s *Store, senders, batch int) {
	document := []byte(strings.Repeat(`{"field":"a value of a report","number":12.5},`, 90)) // 4 kB
	work := make(chan []store.NewReport)
	var wg sync.WaitGroup
	for range senders {
		_, agent := enrolled(b, s)
		wg.Go(func() {
			for reports := range work {
				if _, err := s.SaveReports(b.Context(), agent, reports); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ResetTimer()
	for left := b.N; left > 0; {
		n := min(left, batch)
		left -= n
		reports := make([]store.NewReport, n)
		for i := range reports {
			reports[i] = newReport(i)
			reports[i].Document = document
		}
		work <- reports
	}
	close(work)
	wg.Wait()
}

// BenchmarkSearch searches 10,000 participants with one check each.
func BenchmarkSearch(b *testing.B) {
	s, err := OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "c.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	crowd(b, s, 10_000)
	for name, search := range map[string]string{"all": "", "nobody": "xyzzy", "one": "person 04711", "many": "person 047", "phone": "0228 04711", "part of a code": "3QX"} {
		for _, order := range []store.Order{store.ByUrgency, store.ByName, store.ByRecent} {
			b.Run(name+"/"+string(order), func(b *testing.B) {
				for b.Loop() {
					_, err := s.ParticipantStates(b.Context(), store.StateQuery{Search: search, Order: order, FreshSince: evening.Add(-time.Hour), Limit: 100})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	for name, search := range map[string]string{"nobody": "xyzzy", "one wrong letter": "persom 04711", "a case code": "A1B-2C4"} {
		b.Run("similar/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.SimilarStates(b.Context(), search, 5); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// crowd adds participants in a few transactions.
func crowd(b *testing.B, s *Store, n int) {
	verdicts := []report.Verdict{report.Ready, report.Ready, report.Limited, report.NotReady, report.Unknown}
	err := s.write.inTx(b.Context(), func(tx runner) error {
		for i := range n {
			name, id := fmt.Sprintf("Person %05d", i), uuid.NewString()
			_, err := tx.exec(b.Context(), `INSERT INTO participants (id, org_id, name, name_key, search_key, phone, phone_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0)`,
				id, s.org, name, store.NameKey(name), store.NameKey(name), "", fmt.Sprintf("0228%05d", i))
			if err != nil {
				return err
			}
			if err := keepSearchParts(b.Context(), tx, s.org, id, store.NameKey(name), fmt.Sprintf("0228%05d", i)); err != nil {
				return err
			}
			v := verdicts[i%len(verdicts)]
			_, err = tx.exec(b.Context(), `INSERT INTO latest (participant_id, org_id, verdict, verdict_rank, counts_at, checked_at, case_code) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				id, s.org, string(v), store.Rank(v), millis(evening)-int64(i)*1000, millis(evening)-int64(i)*1000, "A1B-2C3")
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
