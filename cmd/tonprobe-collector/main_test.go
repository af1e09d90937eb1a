package main

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tonprobe-collector": main})
}

// TestScripts runs the scripts in testdata/script with the installed command.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TONPROBE_DATA", e.WorkDir+"/data")
			return os.Mkdir(e.WorkDir+"/data", 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "audited": audited},
	})
}

// audited checks that the audit log has an entry of a command: audited KIND SUBJECT
func audited(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: audited KIND SUBJECT")
	}
	s, err := sqlstore.OpenSQLite(context.Background(), datadir.Database(ts.Getenv("TONPROBE_DATA")), sqlstore.Options{})
	ts.Check(err)
	page, err := s.AuditEntries(context.Background(), store.AuditQuery{Kind: store.AuditKind(args[0])})
	ts.Check(errors.Join(err, s.Close()))
	for _, e := range page.Entries {
		if e.Subject == args[1] && e.StaffName == "" {
			return
		}
	}
	ts.Fatalf("got entries %+v, want one about %q", page.Entries, args[1])
}

// status runs the command and checks its exit status: status 64 tonprobe-collector …
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND ...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = statusOf(err)
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}
