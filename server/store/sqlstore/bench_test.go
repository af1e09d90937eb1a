package sqlstore

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tonprobe/tonprobe/server/internal/pgtest"
	"github.com/tonprobe/tonprobe/server/store"
)

// BenchmarkSave saves from 64 senders at once, in batches and one by one. One
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
