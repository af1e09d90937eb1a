package storetest

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

func guesses(t *testing.T, s store.Store) {
	ctx := t.Context()
	guess := func(bucket string, cost time.Duration) store.Guess {
		return store.Guess{Bucket: bucket, Cost: cost, Full: 10 * cost}
	}
	want := func(what string, want map[string]time.Time) {
		t.Helper()
		got, err := s.GuessesUntil(ctx, []string{"a", "b", "c"})
		must(t, err)
		if !maps.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	want("nothing", map[string]time.Time{})
	must(t, s.AddGuess(ctx, []store.Guess{guess("b", time.Hour), guess("a", time.Minute)}, evening))
	want("one", map[string]time.Time{"a": evening.Add(time.Minute), "b": evening.Add(time.Hour)})
	later := evening.Add(30 * time.Second)
	must(t, s.AddGuess(ctx, []store.Guess{guess("a", time.Minute)}, later))
	want("a second one while the first counts", map[string]time.Time{"a": evening.Add(2 * time.Minute), "b": evening.Add(time.Hour)})
	late := evening.Add(10 * time.Minute)
	must(t, s.AddGuess(ctx, []store.Guess{guess("a", time.Minute), guess("c", time.Minute)}, late))
	want("one after the bucket was full", map[string]time.Time{"a": late.Add(time.Minute), "b": evening.Add(time.Hour), "c": late.Add(time.Minute)})
	for range 12 {
		must(t, s.AddGuess(ctx, []store.Guess{guess("c", time.Minute)}, late))
	}
	want("more than an empty bucket", map[string]time.Time{"a": late.Add(time.Minute), "b": evening.Add(time.Hour), "c": late.Add(10 * time.Minute)})
	must(t, s.ForgetGuesses(ctx, []string{"c", "unknown"}))
	_, err := s.DeleteExpired(ctx, late.Add(2*time.Minute))
	must(t, err)
	want("forgotten and expired", map[string]time.Time{"b": evening.Add(time.Hour)})
	must(t, s.ForgetGuesses(ctx, []string{"b"}))

	// A collector whose clock is a day ahead must not lock anybody out for a day.
	must(t, s.AddGuess(ctx, []store.Guess{guess("a", time.Minute)}, evening.Add(24*time.Hour)))
	must(t, s.AddGuess(ctx, []store.Guess{guess("a", time.Minute)}, evening))
	want("after a wrong clock", map[string]time.Time{"a": evening.Add(time.Minute)})

	// A flood of keys is removed by the attempts that follow it, without waiting for the hourly cleanup.
	var flood []string
	for n := range 40 {
		bucket := fmt.Sprint("flood ", n)
		flood = append(flood, bucket)
		must(t, s.AddGuess(ctx, []store.Guess{guess(bucket, time.Second)}, evening))
	}
	for range 3 {
		must(t, s.AddGuess(ctx, []store.Guess{guess("b", time.Minute)}, evening.Add(time.Hour)))
	}
	left, err := s.GuessesUntil(ctx, flood)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("got %d full buckets after later attempts, want none", len(left))
	}
	want("the later attempts", map[string]time.Time{"b": evening.Add(time.Hour + 3*time.Minute)})
}
