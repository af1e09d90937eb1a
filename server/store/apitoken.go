package store

import (
	"context"
	"slices"
	"time"
)

// Scope is what a program with an APIToken may read.
type Scope string

// The scopes. Only ScopeParticipants gives names and telephone numbers.
const (
	ScopeParticipants Scope = "participants"
	ScopeReports      Scope = "reports"
	ScopeCases        Scope = "cases"
	ScopeSessions     Scope = "sessions"
	ScopeCauses       Scope = "causes" // common causes
)

// Scopes returns all scopes.
func Scopes() []Scope {
	return []Scope{ScopeParticipants, ScopeReports, ScopeCases, ScopeSessions, ScopeCauses}
}

// MaxAPITokenLife limits how long an APIToken is valid.
const MaxAPITokenLife = 366 * 24 * time.Hour

// APIToken permits another program to read through the API, until it expires.
type APIToken struct {
	ID        string // random UUID
	Name      string // of the program; unique
	Hash      Hash
	Scopes    []Scope
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero if it was never used
}

// May reports whether t includes a scope.
func (t APIToken) May(s Scope) bool { return slices.Contains(t.Scopes, s) }

// Check returns an *InputError if t cannot be stored.
func (t APIToken) Check() error {
	if len(t.Scopes) == 0 {
		return inputf("a token needs at least one scope: %v", Scopes())
	}
	for i, s := range t.Scopes {
		if !slices.Contains(Scopes(), s) {
			return inputf("%.40q is not a scope: %v", s, Scopes())
		}
		if slices.Contains(t.Scopes[:i], s) {
			return inputf("the scope %s is given twice", s)
		}
	}
	if life := t.ExpiresAt.Sub(t.CreatedAt); life <= 0 || life > MaxAPITokenLife {
		return inputf("a token is valid for 1 to %d days", MaxAPITokenLife/(24*time.Hour))
	}
	return checkLine("the name of a token", t.Name, true)
}

// APITokens stores the tokens of other programs.
type APITokens interface {
	// AddAPIToken returns ErrExists if the name exists.
	AddAPIToken(ctx context.Context, t APIToken) error
	// APIToken returns ErrNotFound for an unknown token; the caller checks the expiry.
	APIToken(ctx context.Context, hash Hash) (APIToken, error)
	// APITokens returns all tokens, by name.
	APITokens(ctx context.Context) ([]APIToken, error)
	// UseAPIToken stores the time of the last use.
	UseAPIToken(ctx context.Context, id string, now time.Time) error
	RemoveAPIToken(ctx context.Context, id string) error
}
