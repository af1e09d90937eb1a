package cluster

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is the channel of the notifications (NOTIFY of PostgreSQL).
const channel = "tonprobe_cluster"

// Classes of the advisory locks with two keys. The lock of the migrations has one key.
const (
	leadClass = 0x746f6e00
	// secretClass is the class of the first secret; the next numbers are those of the others.
	secretClass = 0x746f6e01
)

// ErrSecret means that a secret differs from that of another running collector.
var ErrSecret = errors.New("it differs from that of another collector of this database that is running")

// Secret is a secret that must be the same at all collectors of a database.
type Secret struct {
	// Name states what it is, where it comes from, and what to do if it differs.
	Name string
	// Fingerprint is a keyed fingerprint. It becomes the key of a lock, which others can see.
	Fingerprint [4]byte
}

// NewSecret returns a Secret with the fingerprint of value under a key.
func NewSecret(name string, key, value []byte) (s Secret) {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte("fingerprint "))
	_, _ = m.Write(value)
	s.Name = name
	copy(s.Fingerprint[:], m.Sum(nil))
	return s
}

// object is the second key of the lock, which is a positive number.
func (s Secret) object() int32 {
	return int32(binary.BigEndian.Uint32(s.Fingerprint[:]) >> 1) //nolint:gosec // 31 bits
}

// Postgres is a Bus of notifications. It uses two connections of its own. Send, Lead and Close must not
// be called at the same time.
//
// A collector holds a lock for each secret, whose key is the fingerprint. So a collector can compare
// its secrets with those of the running ones, and the locks of a collector that has stopped are gone.
type Postgres struct {
	connect func(context.Context) (*pgx.Conn, error)
	secrets []Secret
	log     *slog.Logger
	sender  *pgx.Conn
	leads   bool
}

var _ Bus = (*Postgres)(nil)

// OpenPostgres connects to the database. Its error is ErrSecret if a secret differs.
func OpenPostgres(ctx context.Context, connect func(context.Context) (*pgx.Conn, error), secrets []Secret, log *slog.Logger) (*Postgres, error) {
	p := &Postgres{connect: connect, secrets: secrets, log: log}
	if err := p.open(ctx); err != nil {
		return nil, err
	}
	if err := p.compareSecrets(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// settings are those of both connections. A notification need not survive a crash. The server notices
// within some ten seconds that a collector has disappeared from the network, and releases its locks.
const settings = `SELECT set_config(name, value, false) FROM (VALUES
	('synchronous_commit', 'off'), ('idle_session_timeout', '0'),
	('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'), ('tcp_keepalives_count', '3')
	) AS wanted (name, value) JOIN pg_settings USING (name)`

func (p *Postgres) dial(ctx context.Context) (*pgx.Conn, error) {
	conn, err := p.connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, settings); err != nil {
		return nil, errors.Join(fmt.Errorf("configure the connection: %w", err), conn.Close(ctx))
	}
	return conn, nil
}

// open connects the sender, if it is not connected, and takes the locks of the secrets.
func (p *Postgres) open(ctx context.Context) error {
	if p.sender != nil && !p.sender.IsClosed() {
		return nil
	}
	p.sender, p.leads = nil, false
	conn, err := p.dial(ctx)
	if err != nil {
		return err
	}
	for i, s := range p.secrets {
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock_shared($1, $2)`, int32(secretClass+i), s.object()); err != nil {
			return errors.Join(fmt.Errorf("register secrets: %w", err), conn.Close(ctx))
		}
	}
	p.sender = conn
	return nil
}

// compareSecrets returns ErrSecret if another collector has another secret.
func (p *Postgres) compareSecrets(ctx context.Context) error {
	for i, s := range p.secrets {
		var differs bool
		err := p.sender.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND classid::bigint = $1 AND objid::bigint <> $2)`, int64(secretClass+i), int64(s.object())).Scan(&differs)
		switch {
		case err != nil:
			return fmt.Errorf("compare secrets: %w", err)
		case differs:
			return fmt.Errorf("%s: %w", s.Name, ErrSecret)
		}
	}
	return nil
}

// Listen implements Bus.
func (p *Postgres) Listen(ctx context.Context, ready func(), received func(string)) error {
	connecting, cancel := context.WithTimeout(ctx, 2*sendTimeout)
	defer cancel()
	conn, err := p.dial(connecting)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if _, err := conn.Exec(connecting, `LISTEN `+channel); err != nil {
		return fmt.Errorf("listen for notifications: %w", err)
	}
	ready()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("wait for a notification: %w", err)
		}
		received(n.Payload)
	}
}

// Send implements Bus. All texts are sent by one transaction: its commit takes a lock on the whole
// database.
func (p *Postgres) Send(ctx context.Context, texts []string) error {
	if err := p.reopen(ctx); err != nil {
		return err
	}
	if _, err := p.sender.Exec(ctx, `SELECT pg_notify('`+channel+`', text) FROM unnest($1::text[]) AS text`, texts); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

func (p *Postgres) reopen(ctx context.Context) error {
	if p.sender != nil && !p.sender.IsClosed() {
		return nil
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	if err := p.compareSecrets(ctx); err != nil {
		p.log.Error("the collectors of this database do not work together", "err", err)
	}
	return nil
}

// Lead implements Bus.
func (p *Postgres) Lead(ctx context.Context) (bool, error) {
	if err := p.reopen(ctx); err != nil {
		return false, err
	}
	if p.leads {
		return true, nil
	}
	if err := p.sender.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, 0)`, int32(leadClass)).Scan(&p.leads); err != nil {
		return false, fmt.Errorf("try to lead: %w", err)
	}
	return p.leads, nil
}

// Close implements Bus.
func (p *Postgres) Close() {
	if p.sender != nil {
		closeConn(p.sender)
	}
}

func closeConn(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.Close(ctx)
}
