package sqlstore

import (
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// enrolled adds a participant and returns its id and that of its agent.
func enrolled(t testing.TB, s *Store) (participantID, agentID string) {
	t.Helper()
	p := store.Participant{ID: uuid.NewString(), Name: "Anna", CreatedAt: evening}
	if err := s.AddParticipant(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	code, agent := store.HashOf(uuid.NewString()), uuid.NewString()
	if err := s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: code, ParticipantID: p.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enrol(t.Context(), code, store.NewAgent{ID: agent, TokenHash: store.HashOf(agent)}, evening); err != nil {
		t.Fatal(err)
	}
	return p.ID, agent
}

func newReport(n int) store.NewReport {
	at := evening.Add(time.Duration(n) * time.Second)
	r := &report.Report{ID: uuid.NewString(), Case: "K7P-3QX", StartedAt: at, Verdict: report.Ready}
	return store.NewReport{Report: r, Document: fmt.Appendf(nil, `{"n":%d}`, n), ReceivedAt: at, CheckedAt: at}
}

// TestPostgresConnectionsFail: connections fail during deliveries. Acknowledged reports
// are stored, others can be delivered again, and the store reconnects without
// intervention.
func TestPostgresConnectionsFail(t *testing.T) {
	for name, outage := range map[string]func(t *testing.T, p *pgtest.Proxy, database string){
		"network cut":              func(_ *testing.T, p *pgtest.Proxy, _ string) { p.Cut() },
		"server ends its sessions": func(t *testing.T, _ *pgtest.Proxy, database string) { endSessions(t, database) },
	} {
		t.Run(name, func(t *testing.T) {
			database := pgtest.Database(t)
			p := pgtest.NewProxy(t, database)
			s := openPostgres(t, p.URL)
			const senders, each, before = 8, 40, 60
			var mu sync.Mutex
			acknowledged, failed := map[string]bool{}, 0
			enough := make(chan struct{})
			var once sync.Once
			agents := make([]string, senders)
			reports := make([][]store.NewReport, senders)
			participants := make([]string, senders)
			var wg sync.WaitGroup
			for i := range senders {
				participants[i], agents[i] = enrolled(t, s)
				for n := range each {
					reports[i] = append(reports[i], newReport(n))
				}
			}
			for i := range senders {
				wg.Go(func() {
					for _, r := range reports[i] {
						_, err := s.SaveReports(t.Context(), agents[i], []store.NewReport{r})
						mu.Lock()
						switch {
						case err == nil:
							acknowledged[r.Report.ID] = true
						case errors.Is(err, store.ErrUnavailable):
							failed++
						default:
							t.Errorf("got error %v, want ErrUnavailable", err)
						}
						if len(acknowledged) >= before {
							once.Do(func() { close(enough) })
						}
						mu.Unlock()
					}
				})
			}
			<-enough
			outage(t, p, database)
			wg.Wait()
			p.Restore()
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("afterwards: got error %v, want none", err)
			}
			t.Logf("%d acknowledged, %d not", len(acknowledged), failed)
			for i := range senders {
				for _, r := range reports[i] {
					got, err := s.SaveReports(t.Context(), agents[i], []store.NewReport{r})
					if err != nil {
						t.Fatal(err)
					}
					if got[0].Status == store.Stored && acknowledged[r.Report.ID] {
						t.Errorf("report %s was acknowledged, but is missing", r.Report.ID)
					}
				}
				if n, err := s.CountReports(t.Context(), participants[i]); err != nil || n != each {
					t.Errorf("got %d reports of a participant, want %d: %v", n, each, err)
				}
			}
		})
	}
}

// TestPostgresEndsIdleSessions: connections that were closed while idle cause no
// failed read or write, however many they are, nor does one that is closed within a transaction.
func TestPostgresEndsIdleSessions(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, p *pgtest.Proxy, database string){
		"by the server": func(t *testing.T, _ *pgtest.Proxy, database string) { endSessions(t, database) },
		"by the network": func(_ *testing.T, p *pgtest.Proxy, _ string) {
			p.Cut()
			p.Restore()
		},
	} {
		t.Run(name, func(t *testing.T) {
			database := pgtest.Database(t)
			p := pgtest.NewProxy(t, database)
			s := openPostgres(t, p.URL)
			participant, agent := enrolled(t, s)
			// pooled opens this many idle connections.
			const pooled = 8
			leave := func() {
				t.Helper()
				var all, wg sync.WaitGroup
				all.Add(pooled)
				for range pooled {
					wg.Go(func() {
						var once sync.Once
						err := s.write.inTx(t.Context(), func(runner) error {
							once.Do(func() { all.Done(); all.Wait() })
							return nil
						})
						if err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if n := s.write.pool.Stats().Idle; n < pooled {
					t.Fatalf("got %d idle connections, want %d", n, pooled)
				}
				end(t, p, database)
			}
			leave()
			if _, err := s.ParticipantState(t.Context(), participant); err != nil {
				t.Errorf("read one row: got error %v, want none", err)
			}
			leave()
			if _, err := s.ParticipantStates(t.Context(), store.StateQuery{}); err != nil {
				t.Errorf("read rows: got error %v, want none", err)
			}
			leave()
			if _, err := s.SaveReports(t.Context(), agent, []store.NewReport{newReport(0)}); err != nil {
				t.Errorf("save: got error %v, want none", err)
			}
			runs := 0
			err := s.write.inTx(t.Context(), func(tx runner) error {
				if runs++; runs == 1 {
					end(t, p, database)
				}
				return s.lockState(t.Context(), tx, participant)
			})
			if err != nil || runs != 2 {
				t.Errorf("a transaction whose connection was closed ran %d times, want 2: %v", runs, err)
			}
		})
	}
}

// endSessions ends all sessions of a database and waits until they have ended.
func endSessions(t *testing.T, database string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	const seconds = 30
	pgtest.Exec(t, pgtest.Server(t), fmt.Sprintf(`SELECT pg_terminate_backend(pid, %d) FROM pg_stat_activity WHERE datname = '%s'`, seconds*1000, u.Path[1:]))
}

// TestPostgresReadOnly: writes to a read-only server fail with an error, reads
// succeed, and writes succeed again afterwards.
func TestPostgresReadOnly(t *testing.T) {
	address := pgtest.Database(t)
	s := openPostgres(t, address)
	participant, agent := enrolled(t, s)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	set := func(value string) {
		t.Helper()
		pgtest.Exec(t, pgtest.Server(t), `ALTER DATABASE "`+u.Path[1:]+`" SET default_transaction_read_only = `+value,
			`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '`+u.Path[1:]+`'`)
	}
	set("on")
	_, err = s.SaveReports(t.Context(), agent, []store.NewReport{newReport(0)})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("save: got error %v, want ErrUnavailable", err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("ping: got error %v, want ErrUnavailable", err)
	}
	if _, err := s.ParticipantState(t.Context(), participant); err != nil {
		t.Errorf("read: got error %v, want none", err)
	}
	if _, err := OpenPostgres(t.Context(), address, Options{}); err != nil {
		t.Errorf("a collector with a read-only database that is up to date does not start: %v", err)
	}
	set("off")
	if _, err = s.SaveReports(t.Context(), agent, []store.NewReport{newReport(1)}); err != nil {
		t.Errorf("afterwards: got error %v, want none", err)
	}
}

// TestPostgresDownAtStart distinguishes temporary from permanent errors.
func TestPostgresDownAtStart(t *testing.T) {
	address := pgtest.Database(t)
	p := pgtest.NewProxy(t, address)
	p.Cut()
	if _, err := OpenPostgres(t.Context(), p.URL, Options{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("server down: got error %v, want ErrUnavailable", err)
	}
	p.Restore()
	openPostgres(t, p.URL)

	wrong := func(change func(*url.URL)) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return u.String()
	}
	for name, bad := range map[string]string{
		"password": wrong(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "x") }),
		"database": wrong(func(u *url.URL) { u.Path = "/none" }),
	} {
		if _, err := OpenPostgres(t.Context(), bad, Options{}); err == nil || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("wrong %s: got error %v, want a permanent error", name, err)
		}
	}
}

func TestSeveralMigratePostgresAtOnce(t *testing.T) {
	address := pgtest.Database(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := OpenPostgres(t.Context(), address, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if v, err := s.Version(t.Context()); err != nil || v != newestVersion {
				t.Errorf("got version %d, error %v; want %d", v, err, newestVersion)
			}
			_ = s.Close()
		})
	}
	wg.Wait()
}

func TestNewerPostgresIsRefused(t *testing.T) {
	address := pgtest.Database(t)
	openPostgres(t, address)
	pgtest.Exec(t, address, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`)
	if _, err := OpenPostgres(t.Context(), address, Options{}); !errors.Is(err, store.ErrNewerStore) {
		t.Errorf("got error %v, want ErrNewerStore", err)
	}
}

func TestUnfitPostgresIsRefused(t *testing.T) {
	server := pgtest.Server(t)
	name := "tonprobe_" + uuid.NewString()
	pgtest.Exec(t, server, `CREATE DATABASE "`+name+`" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	t.Cleanup(func() { pgtest.Exec(t, server, `DROP DATABASE "`+name+`" WITH (FORCE)`) })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	if _, err := OpenPostgres(t.Context(), u.String(), Options{}); !errors.Is(err, ErrPostgresSettings) {
		t.Errorf("got error %v, want ErrPostgresSettings", err)
	}
	if _, err := OpenPostgres(t.Context(), pgtest.Database(t), Options{Existing: true}); !errors.Is(err, ErrNoCollector) {
		t.Errorf("got error %v, want ErrNoCollector", err)
	}
}

// TestPostgresCommitsWaitForTheDisk: whatever the default of the database is, and for a
// stricter setting of the administrator.
func TestPostgresCommitsWaitForTheDisk(t *testing.T) {
	for set, want := range map[string]string{"off": "on", "on": "on", "local": "local", "remote_apply": "remote_apply"} {
		address := pgtest.Database(t)
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		pgtest.Exec(t, address, `ALTER DATABASE "`+u.Path[1:]+`" SET synchronous_commit = `+set)
		s := openPostgres(t, address)
		var got string
		if err := s.write.row(t.Context(), `SELECT current_setting('synchronous_commit')`).Scan(&got); err != nil || got != want {
			t.Errorf("with %s: got %s, want %s: %v", set, got, want, err)
		}
	}
}

// TestPostgresDeadlockIsTriedAgain: of two transactions that wait for each other, the
// server aborts one, which then runs again.
func TestPostgresDeadlockIsTriedAgain(t *testing.T) {
	s := openPostgres(t, pgtest.Database(t))
	one, _ := enrolled(t, s)
	two, _ := enrolled(t, s)
	var first sync.WaitGroup // both hold their first row
	first.Add(2)
	var wg sync.WaitGroup
	for _, order := range [][]string{{one, two}, {two, one}} {
		wg.Go(func() {
			var once sync.Once
			err := s.write.inTx(t.Context(), func(tx runner) error {
				if err := s.lockState(t.Context(), tx, order[0]); err != nil {
					return err
				}
				once.Do(func() { first.Done(); first.Wait() })
				return s.lockState(t.Context(), tx, order[1])
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
