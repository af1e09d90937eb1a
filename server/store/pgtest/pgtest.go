// Package pgtest provides databases on a real PostgreSQL server for tests.
package pgtest

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// Variable is the environment variable with the URL of a superuser at the server that
// .ci/postgres has started.
const Variable = "TONPROBE_TEST_POSTGRES"

// Database creates a database for the test, which is dropped at its end, and returns
// its URL. It skips the test without a server, and with -short.
func Database(t testing.TB) string {
	t.Helper()
	return create(t, "template0")
}

func create(t testing.TB, template string) string {
	t.Helper()
	server := Server(t)
	name := "tonprobe_" + uuid.NewString()
	Exec(t, server, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()+` ENCODING 'UTF8' TEMPLATE `+pgx.Identifier{template}.Sanitize())
	t.Cleanup(func() { Exec(t, server, `DROP DATABASE `+pgx.Identifier{name}.Sanitize()+` WITH (FORCE)`) })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// Copy is Database with the content of the database at address, to which nobody may be
// connected.
func Copy(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return create(t, strings.TrimPrefix(u.Path, "/"))
}

// Server returns the URL of the server itself.
func Server(t testing.TB) string {
	t.Helper()
	need.Full(t, "PostgreSQL")
	server := os.Getenv(Variable)
	if server == "" {
		need.Lack(t, "a PostgreSQL server", errors.New(".ci/postgres starts one and prints "+Variable))
	}
	return server
}

// Exec runs statements as the superuser, even after the end of the test.
func Exec(t testing.TB, address string, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	for _, s := range statements {
		if _, err := c.Exec(ctx, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
