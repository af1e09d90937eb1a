package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/server/store"
)

// Lifetimes.
const (
	SessionTTL      = 12 * time.Hour // a working day with an evening session
	OneTimeLoginTTL = 15 * time.Minute
	// DeviceTTL is how long a browser is known after its last login. Browsers
	// keep a cookie for 400 days at most (RFC 6265bis, section 5.5).
	DeviceTTL = 400 * 24 * time.Hour
)

const maxStaffNameBytes = 64

// What a caller may decide on.
var (
	// ErrCredentials never says whether the name or the password was wrong.
	ErrCredentials = errors.New("name or password is wrong")
	// ErrLink says that a one-time login is unknown, used or expired.
	ErrLink = errors.New("this link was used already or has expired")
	// ErrNoSession says that a browser is not signed in, or no longer.
	ErrNoSession = errors.New("not signed in")
	// ErrStaffName says that a name cannot be one of a member of staff.
	ErrStaffName = fmt.Errorf("a user name has 1 to %d bytes and no control characters or spaces around it", maxStaffNameBytes)
)

// LimitError says that there were too many logins, or are too many right now.
type LimitError struct{ RetryAfter time.Duration }

func (e *LimitError) Error() string {
	return fmt.Sprintf("too many attempts, try again in %s", e.RetryAfter.Round(time.Second))
}

// Store is what this package keeps.
type Store interface {
	store.Staff
	store.Logins
}

// Config is what New needs. All fields are required.
type Config struct {
	Store  Store
	Now    func() time.Time
	Random io.Reader
	Cost   Cost
}

// Auth signs staff in and out.
type Auth struct {
	store     Store
	now       func() time.Time
	random    io.Reader
	passwords *Passwords
	budgets   *budgets
}

// New makes an Auth.
func New(c Config) *Auth {
	return &Auth{
		store:     c.Store,
		now:       c.Now,
		random:    c.Random,
		passwords: NewPasswords(c.Cost, c.Random),
		budgets:   newBudgets(c.Now),
	}
}

// AddStaff adds a member; store.ErrExists, ErrPassword or ErrStaffName say why not.
func (a *Auth) AddStaff(ctx context.Context, name, password string) error {
	if !staffName(name) {
		return ErrStaffName
	}
	hash, err := a.passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return a.store.AddStaff(ctx, store.StaffMember{Name: name, PasswordHash: hash, CreatedAt: a.now()})
}

// SetPassword also ends the member's sessions.
func (a *Auth) SetPassword(ctx context.Context, name, password string) error {
	hash, err := a.passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return a.store.SetStaffPassword(ctx, name, hash)
}

func staffName(s string) bool {
	return s != "" && len(s) <= maxStaffNameBytes && utf8.ValidString(s) && s == strings.TrimSpace(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
}

// NewPassword draws a password that can be read out and typed: 80 bits.
func (a *Auth) NewPassword() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(a.random, b); err != nil {
		return "", fmt.Errorf("draw a password: %w", err)
	}
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return strings.ToLower(groups(b)), nil
}

// NewOneTimeLogin gives the token of a link that signs a member in, once.
func (a *Auth) NewOneTimeLogin(ctx context.Context, name string) (token string, err error) {
	if _, err := a.store.StaffMember(ctx, name); err != nil {
		return "", err
	}
	token, hash, err := NewToken(a.random)
	if err != nil {
		return "", err
	}
	now := a.now()
	return token, a.store.AddOneTimeLogin(ctx, store.OneTimeLogin{
		TokenHash: hash, StaffName: name, CreatedAt: now, ExpiresAt: now.Add(OneTimeLoginTTL)})
}

// Session gives the member's name behind a session's token. Its error is
// ErrNoSession or a fault of the store.
func (a *Auth) Session(ctx context.Context, token string) (staffName string, err error) {
	hash, ok := tokenHash(token)
	if !ok {
		return "", ErrNoSession
	}
	s, err := a.store.Session(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrNoSession
	}
	if err != nil {
		return "", err
	}
	if !a.now().Before(s.ExpiresAt) {
		return "", ErrNoSession
	}
	return s.StaffName, nil
}

// Logout ends the session of a token.
func (a *Auth) Logout(ctx context.Context, token string) error {
	hash, ok := tokenHash(token)
	if !ok {
		return nil
	}
	return a.store.DeleteSession(ctx, hash)
}

// Where the dashboard takes the token of a one-time login, and the name it has
// in the query.
const (
	OneTimeLoginPath  = "/login/once"
	OneTimeLoginParam = "token"
)
