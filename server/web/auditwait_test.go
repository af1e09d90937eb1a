package web

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// heldStore is a store whose audit log is written when the test sends the result.
type heldStore struct {
	Store
	result chan error
}

func (s heldStore) AddAuditEntry(context.Context, store.AuditEntry) error { return <-s.result }

// TestReadsWaitForTheirEntry: reads of one page at the same time have one entry, and fail if it is not
// stored.
func TestReadsWaitForTheirEntry(t *testing.T) {
	for _, want := range []error{nil, errors.New("disk full")} {
		synctest.Test(t, func(t *testing.T) {
			held := heldStore{result: make(chan error)}
			s := &site{Config: Config{Store: held, Random: rand.Reader, Now: time.Now}, reads: newReads(time.Now)}
			got := make(chan error, 3)
			for range cap(got) {
				go func() {
					got <- s.record(httptest.NewRequest(http.MethodGet, "/", nil), store.AuditEntry{StaffName: "support", Kind: store.AuditParticipantRead, ParticipantID: "p"})
				}()
			}
			synctest.Wait()
			if len(got) > 0 {
				t.Errorf("got %d reads that did not wait for the entry, want none", len(got))
			}
			held.result <- want
			for range cap(got) {
				if err := <-got; !errors.Is(err, want) {
					t.Errorf("got error %v, want %v", err, want)
				}
			}
		})
	}
}
