package api

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/store"
)

// heldStore is a store whose audit log is written when the test sends the result.
type heldStore struct {
	Store
	result chan error
}

func (s heldStore) AddAuditEntry(context.Context, store.AuditEntry) error { return <-s.result }

// TestRequestsWaitForTheirEntry: requests at the same time have one entry, and fail if it is not stored.
func TestRequestsWaitForTheirEntry(t *testing.T) {
	for _, want := range []error{nil, errors.New("disk full")} {
		synctest.Test(t, func(t *testing.T) {
			s := heldStore{result: make(chan error)}
			a := &API{Config: Config{Store: s, Random: rand.Reader, Zone: time.UTC}, byTokenDay: limit.New(24*time.Hour, 1, remembered, time.Now)}
			got := make(chan error, 3)
			for range cap(got) {
				go func() {
					got <- a.recordDay(httptest.NewRequest(http.MethodGet, "/", nil), store.APIToken{ID: "t"}, time.Now())
				}()
			}
			synctest.Wait()
			if len(got) > 0 {
				t.Errorf("got %d requests that did not wait for the entry, want none", len(got))
			}
			s.result <- want
			for range cap(got) {
				if err := <-got; !errors.Is(err, want) {
					t.Errorf("got error %v, want %v", err, want)
				}
			}
		})
	}
}
