package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tonprobe/tonprobe/server/auth/oidc"
	"github.com/tonprobe/tonprobe/server/store"
)

// Paths of the sign-in with a provider of OpenID Connect at the dashboard.
const (
	ProviderPath       = "/login/oidc"
	ProviderAnswerPath = "/login/oidc/callback"
)

var (
	// ErrPasswordsOff means that staff sign in with the provider only.
	ErrPasswordsOff = errors.New("signing in with a password is switched off")
	// ErrNotInvited means that the provider signed the person in, but there is no account for them here.
	ErrNotInvited = errors.New("there is no account for this person")
	// ErrNameTaken means that the account with the person's name belongs to somebody who signs in
	// otherwise.
	ErrNameTaken = errors.New("the account with this name signs in otherwise")
	// ErrDisabled means that the account is disabled.
	ErrDisabled = errors.New("this account is disabled")
)

// Provider returns the provider with which staff can sign in; nil if there is none.
func (a *Auth) Provider() *oidc.Provider { return a.provider }

// PasswordsOff reports whether staff sign in with the provider only.
func (a *Auth) PasswordsOff() bool { return a.provider != nil && a.passwordsOff }

// providerAttempt binds the attempt to its purpose: it cannot be opened as another secret.
const providerAttempt = "\x00oidc" // not a valid staff name

// BeginProvider returns the address at the provider to which the browser goes, and the attempt that it
// keeps meanwhile. next is where it goes afterwards. The errors are those of oidc.Provider.Begin.
func (a *Auth) BeginProvider(ctx context.Context, next string) (address, attempt string, err error) {
	begun, address, err := a.provider.Begin(ctx, next)
	if err != nil {
		return "", "", err
	}
	b, err := json.Marshal(begun)
	if err != nil {
		return "", "", fmt.Errorf("store the attempt: %w", err)
	}
	attempt, err = a.sealer.seal(providerAttempt, b)
	return address, attempt, err
}

// ProviderLogin is a sign-in with the provider, or what is known of one that failed.
type ProviderLogin struct {
	Login
	Next string
	// Name is the name of the account, or the name that the provider states if no account was found.
	Name string
	// Added means that the account is new; FormerRole is the role before it followed the provider,
	// "" if it is unchanged.
	Added      bool
	FormerRole store.Role
}

// CompleteProvider signs in the person who came back from the provider. Its errors are those of
// oidc.Provider.Complete, ErrNotInvited, ErrNameTaken, ErrStaffName, ErrDisabled, a *LimitError, and
// those of the store.
//
// An account here is bound to the provider's subject, not to a name: later the names may change. The
// first sign-in of a subject binds the account that was invited under the name that the provider
// states, if it has no password; so nobody takes over an account by a name. If the provider assigns
// roles, each sign-in sets the role, and adds an account for a person with a role who has none.
func (a *Auth) CompleteProvider(ctx context.Context, by Attempt, attempt string, answer oidc.Answer) (l ProviderLogin, err error) {
	taken, err := a.budgets.take(ctx, by.From, providerAttempt)
	if err != nil {
		return l, err
	}
	var begun oidc.Attempt
	b, err := a.sealer.open(providerAttempt, attempt)
	if err == nil {
		err = json.Unmarshal(b, &begun)
	}
	if err != nil {
		return l, fmt.Errorf("%w: no attempt", oidc.ErrRefused)
	}
	l.Next = begun.Next
	who, err := a.provider.Complete(ctx, begun, answer)
	l.Name = who.Name
	if errors.Is(err, oidc.ErrNoRole) || errors.Is(err, oidc.ErrEmail) {
		return l, errors.Join(err, a.lostRole(ctx, &l, who, err))
	}
	if err != nil {
		return l, err
	}
	taken.forgive(ctx)
	m, err := a.memberOf(ctx, who, &l)
	if err != nil {
		return l, err
	}
	_, known, err := a.device(ctx, by.Device, m.Name)
	if err != nil {
		return l, err
	}
	// The provider decides whether it asks for a second factor.
	l.Login, err = a.begin(ctx, by, m, known)
	return l, err
}

// memberOf returns the account of a person at the provider, and stores in l what changed.
func (a *Auth) memberOf(ctx context.Context, who oidc.Identity, l *ProviderLogin) (m store.StaffMember, err error) {
	issuer := a.provider.Issuer()
	m, err = a.store.StaffBySubject(ctx, issuer, who.Subject)
	if errors.Is(err, store.ErrNotFound) {
		if m, err = a.newMember(ctx, who, l); errors.Is(err, ErrNameTaken) {
			// Two first sign-ins of one person at the same time: the other one was first.
			if first, again := a.store.StaffBySubject(ctx, issuer, who.Subject); again == nil {
				m, err = first, nil
			}
		}
	}
	if err != nil {
		return m, err
	}
	l.Name = m.Name
	if !m.DisabledAt.IsZero() {
		return m, ErrDisabled
	}
	if who.Role != "" && who.Role != m.Role {
		if err := a.store.SetStaffRole(ctx, m.Name, who.Role, nil); err != nil {
			return m, err
		}
		l.FormerRole, m.Role = m.Role, who.Role
	}
	return m, nil
}

// newMember binds the account that was invited for a person, or adds one.
func (a *Auth) newMember(ctx context.Context, who oidc.Identity, l *ProviderLogin) (store.StaffMember, error) {
	issuer := a.provider.Issuer()
	if !staffName(who.Name) {
		return store.StaffMember{}, ErrStaffName
	}
	m, err := a.store.BindStaff(ctx, who.Name, issuer, who.Subject)
	if !errors.Is(err, store.ErrNotFound) {
		return m, err
	}
	m, err = a.store.StaffMember(ctx, who.Name)
	switch {
	case err == nil && !m.DisabledAt.IsZero():
		return m, ErrDisabled
	case err == nil:
		return m, ErrNameTaken
	case !errors.Is(err, store.ErrNotFound):
		return m, err
	case who.Role == "":
		return m, ErrNotInvited
	}
	m = store.StaffMember{Name: who.Name, Role: who.Role, CreatedAt: a.now(), Issuer: issuer, Subject: who.Subject}
	if err = a.store.AddStaff(ctx, m); errors.Is(err, store.ErrExists) {
		return m, ErrNameTaken
	}
	l.Added = err == nil
	return m, err
}

// lostRole stores in l the name of the account of a person whom the provider did not accept, and ends
// the sessions of a member who has lost their role there (ErrNoRole).
func (a *Auth) lostRole(ctx context.Context, l *ProviderLogin, who oidc.Identity, why error) error {
	m, err := a.store.StaffBySubject(ctx, a.provider.Issuer(), who.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	l.Name = m.Name
	if !errors.Is(why, oidc.ErrNoRole) {
		return nil
	}
	return a.store.EndStaffSessions(ctx, m.Name, store.Hash{})
}

// SetProviderCookie stores the attempt in the browser.
func (a *Auth) SetProviderCookie(w http.ResponseWriter, r *http.Request, attempt string) {
	setCookie(w, r, providerCookie, attempt, int(oidc.AttemptTTL.Seconds()))
}

// TakeProviderCookie returns the attempt of a browser, and removes it there.
func (a *Auth) TakeProviderCookie(w http.ResponseWriter, r *http.Request) string {
	attempt := cookieValue(r, providerCookie)
	if attempt != "" {
		setCookie(w, r, providerCookie, "", -1)
	}
	return attempt
}
