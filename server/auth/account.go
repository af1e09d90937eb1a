package auth

import (
	"context"
	"errors"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// Path and query parameter of an invitation at the dashboard.
const (
	InvitationPath  = "/invitation"
	InvitationParam = "token"
)

// ErrInvitation means that an invitation is unknown, used, replaced or expired.
var ErrInvitation = errors.New("this invitation has already been used or has expired")

// ErrOwnAccount means that a member tried to disable, or change the role of, their own account: the
// last administrator could not undo that.
var ErrOwnAccount = errors.New("another administrator has to change this account")

// Invitation is a link by which a member of staff chooses a password, once.
type Invitation struct {
	Token     string
	ExpiresAt time.Time
}

// InviteStaff adds a member without a password. Its errors include store.ErrExists, ErrStaffName
// and ErrRole.
func (a *Auth) InviteStaff(ctx context.Context, name string, role store.Role) (Invitation, error) {
	if err := checkMember(name, role); err != nil {
		return Invitation{}, err
	}
	if err := a.store.AddStaff(ctx, store.StaffMember{Name: name, Role: role, CreatedAt: a.now()}); err != nil {
		return Invitation{}, err
	}
	return a.Reinvite(ctx, name)
}

// Reinvite returns a new invitation, which replaces an earlier one. ErrNotFound means that there
// is no such member, or that the account is disabled.
func (a *Auth) Reinvite(ctx context.Context, name string) (Invitation, error) {
	token, hash, err := NewToken(a.random)
	if err != nil {
		return Invitation{}, err
	}
	now := a.now()
	i := Invitation{Token: token, ExpiresAt: now.Add(InvitationTTL)}
	return i, a.store.AddStaffInvitation(ctx, store.StaffInvitation{TokenHash: hash, StaffName: name, CreatedAt: now, ExpiresAt: i.ExpiresAt})
}

// ResetStaff removes the password, sessions and known browsers of a member, and returns an
// invitation to choose another password.
func (a *Auth) ResetStaff(ctx context.Context, name string) (Invitation, error) {
	m, err := a.store.StaffMember(ctx, name)
	if err != nil {
		return Invitation{}, err
	}
	if !m.DisabledAt.IsZero() {
		return Invitation{}, store.ErrNotFound
	}
	if err := a.store.ResetStaff(ctx, name); err != nil {
		return Invitation{}, err
	}
	return a.Reinvite(ctx, name)
}

// Invited returns the member whom an invitation is for. Its error is ErrInvitation, a *LimitError
// or an error of the store.
func (a *Auth) Invited(ctx context.Context, by Attempt, token string) (store.StaffMember, error) {
	hash, taken, err := a.takeInvitation(ctx, by, token)
	if err != nil {
		return store.StaffMember{}, err
	}
	m, err := a.store.StaffInvitation(ctx, hash, a.now())
	if errors.Is(err, store.ErrNotFound) {
		return m, ErrInvitation
	}
	if err == nil {
		taken.forgive(ctx)
	}
	return m, err
}

// AcceptInvitation sets the password of the invited member and signs them in. Its errors include
// ErrInvitation, ErrPassword, ErrPasswordsOff and *LimitError; after ErrPassword the invitation remains valid.
func (a *Auth) AcceptInvitation(ctx context.Context, by Attempt, token, password string) (Login, error) {
	if a.PasswordsOff() {
		return Login{}, ErrPasswordsOff
	}
	m, err := a.Invited(ctx, by, token) // before the costly hash
	if err != nil {
		return Login{}, err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return Login{}, err
	}
	m, err = a.store.AcceptStaffInvitation(ctx, store.HashOf(token), hash, a.now())
	if errors.Is(err, store.ErrNotFound) {
		return Login{}, ErrInvitation
	}
	if err != nil {
		return Login{}, err
	}
	_, known, err := a.device(ctx, by.Device, m.Name)
	if err != nil {
		return Login{}, err
	}
	return a.proceed(ctx, by, m, known)
}

const invitationBudget = "\x00invitation" // not a valid staff name

// takeInvitation charges the budget of an address. A token has 256 bits, so this only bounds the
// load of guessing.
func (a *Auth) takeInvitation(ctx context.Context, by Attempt, token string) (hash store.Hash, taken charge, err error) {
	if taken, err = a.budgets.take(ctx, by.From, invitationBudget); err != nil {
		return hash, taken, err
	}
	hash, ok := tokenHash(token)
	if !ok {
		return hash, taken, ErrInvitation
	}
	return hash, taken, nil
}

// Staff returns all members.
func (a *Auth) Staff(ctx context.Context) ([]store.StaffMember, error) {
	return a.store.StaffMembers(ctx)
}

// StaffMember returns one member, or store.ErrNotFound.
func (a *Auth) StaffMember(ctx context.Context, name string) (store.StaffMember, error) {
	if !staffName(name) {
		return store.StaffMember{}, store.ErrNotFound
	}
	return a.store.StaffMember(ctx, name)
}

// Access reports who can sign in with the present settings: with a password, or with an account at the
// provider with an issuer ("" for none). An invited member cannot yet.
func Access(issuer string, passwordsOff bool) store.CanSignIn {
	return func(m store.StaffMember) bool {
		return !passwordsOff && m.PasswordHash != "" || issuer != "" && m.Subject != "" && m.Issuer == issuer
	}
}

// Access is the function Access with the settings of a.
func (a *Auth) Access() store.CanSignIn {
	issuer := ""
	if a.provider != nil {
		issuer = a.provider.Issuer()
	}
	return Access(issuer, a.PasswordsOff())
}

// SetRole changes the role of a member. It returns ErrOwnAccount if by is the member, and
// store.ErrLastAdministrator as store.Staff does, where keep is Access, or nil for any change; so do
// Disable and Delete.
func (a *Auth) SetRole(ctx context.Context, by, name string, role store.Role, keep store.CanSignIn) error {
	if by == name {
		return ErrOwnAccount
	}
	if !store.IsRole(string(role)) {
		return ErrRole
	}
	return a.store.SetStaffRole(ctx, name, role, keep)
}

// Disable ends everything that signs a member in, and keeps the account. It returns ErrOwnAccount
// if by is the member.
func (a *Auth) Disable(ctx context.Context, by, name string, keep store.CanSignIn) error {
	if by == name {
		return ErrOwnAccount
	}
	return a.store.DisableStaff(ctx, name, a.now(), keep)
}

// Delete removes a disabled account. It returns ErrOwnAccount if by is the member, and
// store.ErrNotFound if the account is not disabled. Disabling it has ended its sessions.
func (a *Auth) Delete(ctx context.Context, by, name string, keep store.CanSignIn) error {
	if by == name {
		return ErrOwnAccount
	}
	return a.store.DeleteStaff(ctx, name, keep)
}

// Enable makes a disabled account usable again.
func (a *Auth) Enable(ctx context.Context, name string) error { return a.store.EnableStaff(ctx, name) }

// Sessions returns the present sessions of a member, the newest first.
func (a *Auth) Sessions(ctx context.Context, name string) ([]store.Session, error) {
	return a.store.StaffSessions(ctx, name, a.now())
}

// EndSession ends one session of a member, or returns store.ErrNotFound.
func (a *Auth) EndSession(ctx context.Context, name string, session store.Hash) error {
	return a.store.EndStaffSession(ctx, name, session)
}

// EndSessions ends all sessions of a member but the one with a token; "" ends all.
func (a *Auth) EndSessions(ctx context.Context, name, exceptToken string) error {
	except, ok := tokenHash(exceptToken)
	if !ok {
		except = store.Hash{}
	}
	return a.store.EndStaffSessions(ctx, name, except)
}
