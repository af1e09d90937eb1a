package sqlstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// dialect is all in which the two databases differ once they are open. Statements
// are written for both: with ? for parameters, in the SQL that SQLite and
// PostgreSQL share.
type dialect struct {
	// folder holds the migrations, goose is their dialect.
	folder string
	goose  goose.Dialect
	// numbered parameters are $1, $2 instead of ?.
	numbered bool
	// lockLatest and lockBoth, at the end of a SELECT, lock the rows of latest, or
	// of latest and agents, until the transaction ends. SQLite's one writer needs no
	// lock.
	lockLatest, lockBoth string
	// listed is a table with the texts of a JSON list, a parameter, as v.value.
	listed string
	// lanes is how many groups of deliveries are written at once.
	lanes int
	// keepPrepared prepares statements here. The driver of PostgreSQL does so itself.
	keepPrepared bool
	// fault adds store.ErrUnavailable where the database itself could not work.
	fault func(error) error
	// taken recognises the error of a row whose key exists, again the one of a
	// transaction that has to be tried again.
	taken, again func(error) bool
	// migrating runs f while no other process migrates.
	migrating func(ctx context.Context, f func() error) error
	// writable says why nothing can be written; nil where it can.
	writable func(ctx context.Context, d *database) error
	// snapshot writes a consistent copy of the database to an empty file.
	snapshot func(ctx context.Context, path string) error
}

// bind writes a statement's parameters as the database wants them.
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

// args makes texts fit to be parameters. What is no UTF-8 and the byte 0 come in as
// a search or a part of an address; PostgreSQL refuses both, and for SQLite a
// pattern ends at the byte 0. Replaced, such a text is found nowhere.
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
