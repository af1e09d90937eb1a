package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// collectors returns the Auth of two collectors that share a database.
func collectors(t *testing.T, c *clock, open func() (*sqlstore.Store, error)) (all []*Auth) {
	t.Helper()
	for range 2 {
		s, err := open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		key := make([]byte, SealKeyBytes)
		all = append(all, New(Config{Store: s, Now: c.now, Random: rand.Reader, Cost: cheap, SealKey: key, Shared: limit.NewShared(s, key, c.now)}))
	}
	return all
}

// databases returns a function for each kind of database. It creates a database and returns a function
// that opens it, which can be called several times.
func databases() map[string]func(t *testing.T) func() (*sqlstore.Store, error) {
	return map[string]func(t *testing.T) func() (*sqlstore.Store, error){
		"SQLite": func(t *testing.T) func() (*sqlstore.Store, error) {
			path := filepath.Join(t.TempDir(), "a.db")
			return func() (*sqlstore.Store, error) { return sqlstore.OpenSQLite(t.Context(), path, sqlstore.Options{}) }
		},
		"PostgreSQL": func(t *testing.T) func() (*sqlstore.Store, error) {
			address := pgtest.Database(t)
			return func() (*sqlstore.Store, error) {
				return sqlstore.OpenPostgres(t.Context(), address, sqlstore.Options{})
			}
		},
	}
}

// TestCollectorsShareTheLimits: a second collector does not give a guesser more attempts, and the
// limits do not lock out anybody who knows the password.
func TestCollectorsShareTheLimits(t *testing.T) {
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			c := &clock{at: time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)}
			all := collectors(t, c, open(t))
			one, two := all[0], all[1]
			if err := one.AddStaff(t.Context(), "support", store.RoleAdministrator, password); err != nil {
				t.Fatal(err)
			}
			office, err := one.Login(t.Context(), home, "support", password)
			if err != nil {
				t.Fatal(err)
			}
			known := Attempt{From: home.From, Device: office.Device}

			// Half of the attempts at each, in turn.
			total := 0
			for range attemptsPerName {
				total += guess(t, one, home, "support", 1) + guess(t, two, home, "support", 1)
			}
			if total != attemptsPerName {
				t.Errorf("at two collectors: got %d attempts, want %d", total, attemptsPerName)
			}
			for i, a := range all {
				if _, err := a.Login(t.Context(), home, "support", password); !isLimited(err) {
					t.Errorf("collector %d, an unknown browser at the guesser's address: got error %v, want a *LimitError", i, err)
				}
				if _, err := a.Login(t.Context(), known, "support", password); err != nil {
					t.Errorf("collector %d, a known browser at the guesser's address: got error %v, want none", i, err)
				}
				if _, err := a.Login(t.Context(), from("203.0.113.9"), "support", password); err != nil {
					t.Errorf("collector %d, another address: got error %v, want none", i, err)
				}
			}
			c.at = c.at.Add(nameEvery)
			if n := guess(t, two, home, "support", 2); n != 1 {
				t.Errorf("after the wait: got %d attempts, want 1", n)
			}
			c.at = c.at.Add(nameEvery)
			// A right password refunds the attempts before it at both collectors.
			if _, err := two.Login(t.Context(), home, "support", password); err != nil {
				t.Fatal(err)
			}
			if n := guess(t, two, home, "support", attemptsPerName+1); n != attemptsPerName {
				t.Errorf("after a right password: got %d attempts, want %d", n, attemptsPerName)
			}
			// A stolen known browser does not get more attempts either.
			total = guess(t, one, known, "support", attemptsPerDevice-4) + guess(t, two, known, "support", attemptsPerDevice)
			if total != attemptsPerDevice {
				t.Errorf("a known browser at two collectors: got %d attempts, want %d", total, attemptsPerDevice)
			}
		})
	}
}

// TestCollectorsShareUsedCodes: a code of the second factor is accepted once, whichever collector it is
// sent to, also if it is sent to all at the same time.
func TestCollectorsShareUsedCodes(t *testing.T) {
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			c := &clock{at: time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)}
			all := collectors(t, c, open(t))
			if err := all[0].AddStaff(t.Context(), "support", store.RoleAdministrator, password); err != nil {
				t.Fatal(err)
			}
			secret, recovery := withSecondFactor(t, all[0], c, "support")
			complete := func(i int, challenge, code string) error {
				_, err := all[i%2].Complete(t.Context(), from(fmt.Sprintf("198.51.100.%d", i)), challenge, code)
				return err
			}
			code := totpCode(secret, totpStep(c.at))
			first, second := challenge(t, all[0], home, "support"), challenge(t, all[1], home, "support")
			if err := complete(0, first, code); err != nil {
				t.Fatal(err)
			}
			if err := complete(1, second, code); !errors.Is(err, ErrCode) {
				t.Errorf("the same code at the other collector: got error %v, want %v", err, ErrCode)
			}
			c.at = c.at.Add(totpPeriod)
			for what, code := range map[string]string{"code": totpCode(secret, totpStep(c.at)), "recovery code": recovery[0]} {
				errs, challenges := make([]error, 6), make([]string, 6)
				for i := range challenges {
					challenges[i] = challenge(t, all[i%2], home, "support")
				}
				var wg sync.WaitGroup
				for i := range errs {
					wg.Go(func() { errs[i] = complete(i, challenges[i], code) })
				}
				wg.Wait()
				good := 0
				for _, err := range errs {
					if err == nil {
						good++
					} else if !errors.Is(err, ErrCode) {
						t.Errorf("%s at both collectors: got error %v, want %v", what, err, ErrCode)
					}
				}
				if good != 1 {
					t.Errorf("%s at both collectors: accepted %d times, want once", what, good)
				}
			}
		})
	}
}
