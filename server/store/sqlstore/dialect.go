package sqlstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// dialect contains all differences of the two databases once they are open. Statements
// are written for both: with ? for parameters, in the SQL that SQLite and PostgreSQL
// share.
type dialect struct {
	// folder contains the migrations, goose is their dialect.
	folder string
	goose  goose.Dialect
	// numbered means that parameters are $1, $2 instead of ?.
	numbered bool
	// lockLatest, lockAgents, lockBoth, lockCases and lockStaff, at the end of a SELECT, lock the rows of
	// latest, of agents, of both, of cases, or of staff, until the transaction ends. SQLite's one writer
	// needs no lock.
	lockLatest, lockAgents, lockBoth, lockCases, lockStaff string
	// skipLocked, at the end of a SELECT, locks its rows, without those that others have locked.
	skipLocked string
	// lockParticipants locks rows of participants against references to them. shareParticipants and
	// shareReports lock rows of participants and of reports against their deletion.
	lockParticipants, shareParticipants, shareReports string
	// overwriteDeleted, at the start of a transaction, makes it overwrite what it deletes; "" if the
	// database cannot.
	overwriteDeleted string
	// scrub removes deleted content from files beside the database, as far as possible.
	scrub func(ctx context.Context, d *database)
	// lanes is the number of groups of deliveries that are written concurrently.
	lanes int
	// keepPrepared means that statements are prepared here. The driver of PostgreSQL
	// does that itself.
	keepPrepared bool
	// fault adds store.ErrUnavailable if the database itself could not work.
	fault func(error) error
	// taken recognises the error of an existing key, and again the error of a transaction
	// that must be repeated.
	taken, again func(error) bool
	// connections is the size of the pool. ended recognises the error of a connection that
	// has ended. If harmless is false, it does so only if the statement has had no effect.
	connections int
	ended       func(err error, harmless bool) bool
	// migrating runs f while no other process migrates.
	migrating func(ctx context.Context, f func() error) error
	// writable returns why nothing can be written; nil if it can.
	writable func(ctx context.Context, d *database) error
	// snapshot writes a consistent copy of the database to an empty file.
	snapshot func(ctx context.Context, path string) error
}

// bind converts a statement's parameters for the database.
func (d *dialect) bind(statement string) string {
	if !d.numbered {
		return statement
	}
	var b strings.Builder
	b.Grow(len(statement) + 64)
	for n := 1; ; n++ {
		before, after, found := strings.Cut(statement, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		statement = after
	}
}

// args makes texts valid as parameters. A search or a part of an address may contain
// invalid UTF-8 and the byte 0; PostgreSQL rejects both, and for SQLite a pattern ends
// at the byte 0. With replacements such a text has no matches.
func (d *dialect) args(args []any) []any {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
		}
	}
	return args
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
