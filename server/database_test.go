package server

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/tonprobe/tonprobe/server/store/pgtest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// watchedLog reports its first line.
type watchedLog struct {
	mu    sync.Mutex
	text  bytes.Buffer
	once  sync.Once
	first chan struct{}
}

func (l *watchedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.once.Do(func() { close(l.first) })
	return l.text.Write(p)
}

// TestWaitsForPostgres: a collector that starts before its database logs that it waits,
// and continues without intervention. The password is never logged.
func TestWaitsForPostgres(t *testing.T) {
	p := pgtest.NewProxy(t, pgtest.Database(t))
	p.Cut()
	log := &watchedLog{first: make(chan struct{})}
	c := Config{DataDir: t.TempDir(), DatabaseURL: p.URL, Log: slog.New(slog.NewTextHandler(log, nil))}
	type opened struct {
		*sqlstore.Store
		error
	}
	done := make(chan opened, 1)
	go func() {
		s, err := openStore(t.Context(), c)
		done <- opened{s, err}
	}()
	<-log.first
	p.Restore()
	got := <-done
	if got.error != nil {
		t.Fatalf("open: %v", got.error)
	}
	if err := got.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	_ = got.Close()
	password, _, _ := strings.Cut(strings.TrimPrefix(p.URL, "postgres://tonprobe:"), "@")
	if text := log.text.String(); !strings.Contains(text, "waiting for the database") || strings.Contains(text, password) {
		t.Errorf("got log %s; want it to contain %q, without %q", text, "waiting for the database", password)
	}

	p.Cut()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := openStore(ctx, c); err == nil {
		t.Error("the database was opened after cancellation")
	}
}
