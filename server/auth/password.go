// Package auth authenticates staff for the dashboard, and agents for reports.
package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Limits of a password. The upper one prevents a hostile form from causing long hashing. Length
// is what makes a password strong, so there is no other rule.
const (
	MinPasswordRunes = 12
	MaxPasswordBytes = 256
)

// ErrPassword means that a password is too short or too long.
var ErrPassword = fmt.Errorf("a password needs at least %d characters and may have at most %d bytes", MinPasswordRunes, MaxPasswordBytes)

// Cost is the cost of one argon2id hash (RFC 9106).
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// DefaultCost is the memory-constrained recommendation of RFC 9106 §4: 64 MiB,
// 3 passes, 4 lanes.
var DefaultCost = Cost{MemoryKiB: 64 << 10, Passes: 3, Lanes: 4}

const (
	saltBytes = 16 // RFC 9106 §3.1
	keyBytes  = 32
	// maxMemoryKiB limits the memory that a stored hash may specify.
	maxMemoryKiB = 1 << 20
)

var errHash = errors.New("password hash is not an argon2id PHC string")

// Passwords hashes passwords, two at a time: each needs Cost.MemoryKiB, and a flood of logins
// must not exhaust the machine's memory. Unknown clients share one slot with a short queue. The
// other slot is for known browsers, so that a flood of wrong logins does not delay people who
// have signed in before.
type Passwords struct {
	cost             Cost
	random           io.Reader
	known, strangers *queue
	dummy            string
}

// The queue of unknown clients: a hash takes about a tenth of a second, so the wait is less than
// a second.
const (
	waitingStrangers = 6
	waitingKnown     = 32
	busyRetry        = 2 * time.Second
)

// errBusy means that too many passwords are waiting to be hashed.
var errBusy = errors.New("too many passwords are waiting to be hashed")

// NewPasswords returns a Passwords with empty queues.
func NewPasswords(cost Cost, random io.Reader) *Passwords {
	p := &Passwords{cost: cost, random: random, known: newQueue(waitingKnown), strangers: newQueue(waitingStrangers)}
	p.dummy = encodeHash(cost, make([]byte, saltBytes), make([]byte, keyBytes))
	return p
}

// queue admits one caller at a time and a limited number of waiting ones.
type queue struct {
	waiting, running chan struct{}
}

func newQueue(waiting int) *queue {
	return &queue{waiting: make(chan struct{}, waiting+1), running: make(chan struct{}, 1)}
}

// enter waits for the slot until ctx is done. It returns errBusy at once if the queue is full.
func (q *queue) enter(ctx context.Context) (leave func(), err error) {
	select {
	case q.waiting <- struct{}{}:
	default:
		return nil, errBusy
	}
	select {
	case q.running <- struct{}{}:
		return func() { <-q.running; <-q.waiting }, nil
	case <-ctx.Done():
		<-q.waiting
		return nil, fmt.Errorf("wait for a free hash: %w", ctx.Err())
	}
}

// Hash returns the PHC string of a password, or ErrPassword. It waits for a slot until ctx is
// done.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if utf8.RuneCountInString(password) < MinPasswordRunes || len(password) > MaxPasswordBytes {
		return "", ErrPassword
	}
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(p.random, salt); err != nil {
		return "", fmt.Errorf("generate a salt: %w", err)
	}
	key, err := p.key(ctx, p.known, p.cost, password, salt, keyBytes)
	if err != nil {
		return "", err
	}
	return encodeHash(p.cost, salt, key), nil
}

// Verify reports whether the password matches the hash. An empty hash, for a user who does not
// exist, takes the same time and never matches, so that timing does not reveal which names
// exist. It returns errBusy if too many wait.
func (p *Passwords) Verify(ctx context.Context, hash, password string) (bool, error) {
	return p.verify(ctx, p.strangers, hash, password)
}

// VerifyKnown is Verify for a browser that has signed in before.
func (p *Passwords) VerifyKnown(ctx context.Context, hash, password string) (bool, error) {
	return p.verify(ctx, p.known, hash, password)
}

func (p *Passwords) verify(ctx context.Context, q *queue, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = p.dummy
	}
	cost, salt, want, err := decodeHash(hash)
	if err != nil {
		return false, err
	}
	if len(password) > MaxPasswordBytes {
		password, known = "", false
	}
	got, err := p.key(ctx, q, cost, password, salt, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func (p *Passwords) key(ctx context.Context, q *queue, c Cost, password string, salt []byte, length uint32) ([]byte, error) {
	leave, err := q.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return argon2.IDKey([]byte(password), salt, c.Passes, c.MemoryKiB, c.Lanes, length), nil
}

func encodeHash(c Cost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKiB, c.Passes, c.Lanes,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

func decodeHash(s string) (c Cost, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Passes, &c.Lanes); err != nil {
		return c, nil, nil, fmt.Errorf("%w: %w", errHash, err)
	}
	if c.MemoryKiB < 8 || c.MemoryKiB > maxMemoryKiB || c.Passes < 1 || c.Passes > 64 || c.Lanes < 1 {
		return c, nil, nil, fmt.Errorf("%w: cost out of range", errHash)
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(salt) < 8 {
		return c, nil, nil, fmt.Errorf("%w: salt", errHash)
	}
	if key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(key) < 16 {
		return c, nil, nil, fmt.Errorf("%w: key", errHash)
	}
	return c, salt, key, nil
}
