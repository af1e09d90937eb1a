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

	"github.com/tonprobe/tonprobe/server/auth/oidc"
	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/store"
)

// Lifetimes.
const (
	SessionTTL      = 12 * time.Hour // a working day with an evening session
	OneTimeLoginTTL = 15 * time.Minute
	InvitationTTL   = 7 * 24 * time.Hour
	// DeviceTTL is how long a browser is known after its last login. Browsers keep a cookie
	// for at most 400 days (RFC 6265bis, section 5.5).
	DeviceTTL = 400 * 24 * time.Hour
)

const maxStaffNameBytes = 64

// Errors that a caller decides on.
var (
	// ErrCredentials does not reveal whether the name or the password was wrong.
	ErrCredentials = errors.New("name or password is wrong")
	// ErrLink means that a one-time login is unknown, used or expired.
	ErrLink = errors.New("this link has already been used or has expired")
	// ErrNoSession means that a browser is not signed in, or no longer.
	ErrNoSession = errors.New("not signed in")
	// ErrRole means that there is no such role.
	ErrRole = errors.New("the roles are support, lead, administrator and auditor")
	// ErrStaffName means that a name is not valid for a member of staff.
	ErrStaffName = fmt.Errorf("a user name has 1 to %d bytes and no control characters or spaces around it", maxStaffNameBytes)
)

// LimitError means that there were too many logins recently, or that too many are in progress.
type LimitError struct{ RetryAfter time.Duration }

func (e *LimitError) Error() string {
	return fmt.Sprintf("too many attempts, try again in %s", e.RetryAfter.Round(time.Second))
}

// Store is the storage that this package needs.
type Store interface {
	store.Staff
	store.Logins
	store.SecondFactors
}

// Config configures New. All fields but SealKey, Provider, PasswordsOff and Shared are required.
type Config struct {
	Store  Store
	Now    func() time.Time
	Random io.Reader
	Cost   Cost
	// SealKey encrypts the secrets of second factors in the store: SealKeyBytes random bytes.
	// Without it second factors can only be removed.
	SealKey []byte
	// Provider signs staff in with OpenID Connect; nil for none. It requires SealKey.
	Provider *oidc.Provider
	// PasswordsOff means that staff sign in with the provider only. Links of the command line remain.
	PasswordsOff bool
	// Shared counts wrong passwords and codes over all collectors; nil for this process alone.
	Shared *limit.Shared
}

// Auth signs staff in and out.
type Auth struct {
	store     Store
	now       func() time.Time
	random    io.Reader
	passwords *Passwords
	budgets   *budgets
	sealer    sealer

	provider     *oidc.Provider // nil for none
	passwordsOff bool
}

// New returns an Auth.
func New(c Config) *Auth {
	return &Auth{
		store:     c.Store,
		now:       c.Now,
		random:    c.Random,
		passwords: NewPasswords(c.Cost, c.Random),
		budgets:   newBudgets(c.Now, c.Shared),
		sealer:    newSealer(c.SealKey, c.Random),

		provider:     c.Provider,
		passwordsOff: c.PasswordsOff,
	}
}

// AddStaff adds a member. Its errors include store.ErrExists, ErrPassword, ErrStaffName and ErrRole.
func (a *Auth) AddStaff(ctx context.Context, name string, role store.Role, password string) error {
	if err := checkMember(name, role); err != nil {
		return err
	}
	hash, err := a.passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return a.store.AddStaff(ctx, store.StaffMember{Name: name, Role: role, PasswordHash: hash, CreatedAt: a.now()})
}

func checkMember(name string, role store.Role) error {
	if !staffName(name) {
		return ErrStaffName
	}
	if !store.IsRole(string(role)) {
		return ErrRole
	}
	return nil
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

// NewPassword generates a password that can be read aloud and typed: 80 bits.
func (a *Auth) NewPassword() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(a.random, b); err != nil {
		return "", fmt.Errorf("generate a password: %w", err)
	}
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return strings.ToLower(groups(b)), nil
}

// NewOneTimeLogin returns the token of a link that signs a member in once.
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

// Member is a member of staff who is signed in.
type Member struct {
	Name string
	Role store.Role
}

// Session returns the member with a session token. Its error is ErrNoSession or an error of the
// store.
func (a *Auth) Session(ctx context.Context, token string) (Member, error) {
	hash, ok := tokenHash(token)
	if !ok {
		return Member{}, ErrNoSession
	}
	s, err := a.store.Session(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return Member{}, ErrNoSession
	}
	if err != nil {
		return Member{}, err
	}
	if !a.now().Before(s.ExpiresAt) {
		return Member{}, ErrNoSession
	}
	return Member{Name: s.StaffName, Role: s.Role}, nil
}

// Logout ends the session of a token.
func (a *Auth) Logout(ctx context.Context, token string) error {
	hash, ok := tokenHash(token)
	if !ok {
		return nil
	}
	return a.store.DeleteSession(ctx, hash)
}

// Path and query parameter of a one-time login at the dashboard.
const (
	OneTimeLoginPath  = "/login/once"
	OneTimeLoginParam = "token"
)
