package sqlstore

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tonprobe/tonprobe/server/store"
)

var (
	// ErrFilled means that a database to restore into has tables.
	ErrFilled = errors.New("this database already has tables: give an empty one, or --overwrite to replace a collector's data")
	// ErrInUse means that a collector is connected to a database to restore into.
	ErrInUse = errors.New("a collector is connected to this database: stop all collectors first")
	// ErrDump means that a file is not a dump of a collector's database.
	ErrDump = errors.New("this is not a dump of a collector's database")
)

// applicationName is the name of the collector's connections.
const applicationName = "tonprobe-collector"

// postgresDump writes a dump in the custom format of pg_dump, consistent at its start, to a new
// file.
func postgresDump(ctx context.Context, address, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, store.ErrExists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The file is created here, because pg_dump would let others read it.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = postgresProgram(ctx, address, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file="+path)
	return err
}

// RestorePostgres restores a dump of Backup, all or nothing. Without overwrite the database must
// be empty; with it, it may contain the tables of a collector, which are replaced.
func RestorePostgres(ctx context.Context, address, dump string, overwrite bool) error {
	tables, err := tablesOfDump(ctx, dump)
	if err != nil {
		return err
	}
	if err := mayRestore(ctx, address, tables, overwrite); err != nil {
		return err
	}
	args := []string{"--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"}
	if overwrite {
		args = append(args, "--clean", "--if-exists")
	}
	_, err = postgresProgram(ctx, address, "pg_restore", append(args, dump)...)
	return err
}

// CheckRestorePostgres returns why RestorePostgres would refuse; nil if it would not.
func CheckRestorePostgres(ctx context.Context, address, dump string, overwrite bool) error {
	tables, err := tablesOfDump(ctx, dump)
	if err != nil {
		return err
	}
	return mayRestore(ctx, address, tables, overwrite)
}

// tablesOfDump returns the names of the tables in a dump of this version or an older one.
func tablesOfDump(ctx context.Context, dump string) ([]string, error) {
	list, err := postgresProgram(ctx, "", "pg_restore", "--list", dump)
	if errors.Is(err, store.ErrNoSnapshot) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDump, err)
	}
	var tables []string
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		// 215; 1259 16386 TABLE public goose_db_version owner
		if f := strings.Fields(lines.Text()); len(f) > 5 && f[3] == "TABLE" && f[4] != "DATA" {
			tables = append(tables, f[5])
		}
	}
	if !slices.Contains(tables, "goose_db_version") || !slices.Contains(tables, "reports") {
		return nil, ErrDump
	}
	version, err := versionOfDump(ctx, dump)
	if err != nil {
		return nil, err
	}
	known, err := newestTables(postgresFolder)
	if err != nil {
		return nil, err
	}
	return tables, notNewer(version, known)
}

// versionOfDump returns the version of the tables in a dump.
func versionOfDump(ctx context.Context, dump string) (version int64, err error) {
	rows, err := postgresProgram(ctx, "", "pg_restore", "--data-only", "--table=goose_db_version", "--file=-", dump)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDump, err)
	}
	copying := false
	for lines := bufio.NewScanner(bytes.NewReader(rows)); lines.Scan(); {
		// COPY public.goose_db_version (id, version_id, is_applied, tstamp) FROM stdin;
		switch fields := strings.Split(lines.Text(), "\t"); {
		case strings.HasPrefix(lines.Text(), "COPY "):
			copying = strings.Contains(lines.Text(), "(id, version_id, ")
		case lines.Text() == `\.`:
			copying = false
		case copying && len(fields) > 1:
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%w: %w", ErrDump, err)
			}
			version = max(version, n)
		}
	}
	if version == 0 {
		return 0, ErrDump
	}
	return version, nil
}

// mayRestore returns why these tables cannot be restored into a database.
func mayRestore(ctx context.Context, address string, tables []string, overwrite bool) error {
	config, err := postgresConfig(address)
	if err != nil {
		return err
	}
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("open the database %s: %w", config.Database, postgresFault(err))
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	var others int
	if err := c.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()`, applicationName).Scan(&others); err != nil {
		return fmt.Errorf("look for collectors: %w", err)
	}
	if others > 0 {
		return ErrInUse
	}
	rows, err := c.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil {
		return fmt.Errorf("look for tables: %w", err)
	}
	present, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		return fmt.Errorf("look for tables: %w", err)
	case len(present) == 0:
		return nil
	case !overwrite:
		return ErrFilled
	}
	for _, name := range present {
		if !slices.Contains(tables, name) {
			return fmt.Errorf("the database has the table %q, which the backup does not contain, so it cannot be replaced: give an empty database", name)
		}
	}
	return nil
}

// postgresProgram runs a program of PostgreSQL, and returns its output. The password is not in its
// arguments, which every user of the machine can read.
func postgresProgram(ctx context.Context, address, name string, args ...string) ([]byte, error) {
	file, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("%w (%s is not installed on this machine)", store.ErrNoSnapshot, name)
	}
	env := os.Environ()
	if address != "" {
		u, err := url.Parse(address)
		if err != nil {
			return nil, ErrDatabaseURL // err may repeat the password
		}
		q := u.Query()
		password := q.Get("password")
		if p, ok := u.User.Password(); ok {
			password = p
			u.User = url.User(u.User.Username())
		}
		q.Del("password")
		u.RawQuery = q.Encode()
		if password != "" {
			env = append(env, "PGPASSWORD="+password)
		}
		args = append([]string{"--no-password", "--dbname=" + u.String()}, args...)
	}
	var out, problem bytes.Buffer
	c := exec.CommandContext(ctx, file, args...)
	c.Env, c.Stdout, c.Stderr = append(env, "LC_ALL=C"), &out, &problem
	if err := c.Run(); err != nil {
		text := strings.Join(strings.Fields(problem.String()), " ")
		return nil, fmt.Errorf("%s: %w: %.500s", name, err, text)
	}
	return out.Bytes(), nil
}
