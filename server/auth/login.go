package auth

import (
	"cmp"
	"context"
	"errors"
	"net/netip"

	"github.com/tonprobe/tonprobe/server/store"
)

// Attempt describes a client that tries to sign in.
type Attempt struct {
	From netip.Addr
	// Device is the token that the browser received at an earlier login; "" or invalid if it
	// has none.
	Device string
	// Browser names the program and the system, such as "Firefox, Windows"; "" if unknown.
	Browser string
}

// Login contains the tokens for a browser after a login.
type Login struct {
	Token  string // of the session; "" if Challenge is set
	Member Member
	// Challenge is the token for Complete, if the code of the second factor is missing.
	Challenge string
	// Device is the token that identifies the browser next time; "" if it keeps its present one.
	Device string
}

// Login starts a session, or returns a challenge. Its error is ErrPasswordsOff, ErrCredentials, a
// *LimitError or an error of the store.
func (a *Auth) Login(ctx context.Context, by Attempt, name, password string) (Login, error) {
	if a.PasswordsOff() {
		return Login{}, ErrPasswordsOff
	}
	m, known, err := a.verify(ctx, by, name, password)
	if err != nil {
		return Login{}, err
	}
	return a.proceed(ctx, by, m, known)
}

// ChangePassword verifies the current password within the limits of a login, sets the new one,
// ends all sessions of the member and starts a new one. Its error is ErrCredentials, ErrPassword,
// a *LimitError or an error of the store.
func (a *Auth) ChangePassword(ctx context.Context, by Attempt, name, current, chosen string) (Login, error) {
	m, known, err := a.verify(ctx, by, name, current)
	if err != nil {
		return Login{}, err
	}
	hash, err := a.hash(ctx, chosen)
	if err != nil {
		return Login{}, err
	}
	err = a.store.ReplaceStaffPassword(ctx, m.Name, m.PasswordHash, hash)
	if errors.Is(err, store.ErrNotFound) {
		return Login{}, ErrCredentials // no longer the current one
	}
	if err != nil {
		return Login{}, err
	}
	m.PasswordHash = hash
	return a.begin(ctx, by, m, known)
}

// hash returns the hash of a new password. Its error is ErrPassword, a *LimitError if too many
// passwords are waiting to be hashed, or an error of ctx.
func (a *Auth) hash(ctx context.Context, password string) (string, error) {
	hash, err := a.passwords.Hash(ctx, password)
	if errors.Is(err, errBusy) {
		return "", &LimitError{RetryAfter: busyRetry}
	}
	return hash, err
}

// verify returns the member for the right password, and whether the browser was known. Every
// attempt is charged before its password is hashed, so that concurrent ones do not exceed the
// limits, and a right one is refunded afterwards.
func (a *Auth) verify(ctx context.Context, by Attempt, name, password string) (m store.StaffMember, known bool, err error) {
	if len(name) > maxStaffNameBytes {
		name = "" // no such name; takes as long as any other
	}
	device, known, err := a.device(ctx, by.Device, name)
	if err != nil {
		return m, false, err
	}
	check := a.passwords.VerifyKnown
	var taken charge
	if known {
		taken, err = a.budgets.takeDevice(ctx, device)
	} else {
		check = a.passwords.Verify
		taken, err = a.budgets.take(ctx, by.From, name)
	}
	if err != nil {
		return m, known, err
	}
	if !known {
		leave, err := a.budgets.enter(by.From)
		if err != nil {
			return m, known, err
		}
		defer leave()
	}
	m, err = a.store.StaffMember(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return m, known, err
	}
	if !m.DisabledAt.IsZero() {
		m.PasswordHash = "" // like a name that does not exist
	}
	ok, err := check(ctx, m.PasswordHash, password)
	switch {
	case errors.Is(err, errBusy):
		return m, known, &LimitError{RetryAfter: busyRetry}
	case err != nil:
		return m, known, err
	case !ok:
		return m, known, cmp.Or(taken.fail(ctx), ErrCredentials)
	}
	taken.forgive(ctx)
	return m, known, nil
}

// device looks up a browser's token. The token of another member's login is ignored, because it must
// not permit additional attempts for this name.
func (a *Auth) device(ctx context.Context, token, name string) (hash store.Hash, known bool, err error) {
	hash, ok := tokenHash(token)
	if !ok {
		return hash, false, nil
	}
	d, err := a.store.Device(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return hash, false, nil
	}
	if err != nil {
		return hash, false, err
	}
	return hash, d.StaffName == name && a.now().Before(d.ExpiresAt), nil
}

// LoginOnce exchanges a link's token for a session or a challenge. Its error is ErrLink, a *LimitError, or an
// error of the store. The token has 256 bits, so the limit only bounds the load of guessing.
func (a *Auth) LoginOnce(ctx context.Context, by Attempt, linkToken string) (Login, error) {
	const link = "\x00link" // not a valid staff name
	taken, err := a.budgets.take(ctx, by.From, link)
	if err != nil {
		return Login{}, err
	}
	hash, ok := tokenHash(linkToken)
	if !ok {
		return Login{}, ErrLink
	}
	m, err := a.store.UseOneTimeLogin(ctx, hash, a.now())
	if errors.Is(err, store.ErrNotFound) {
		return Login{}, ErrLink
	}
	if err != nil {
		return Login{}, err
	}
	taken.forgive(ctx)
	_, known, err := a.device(ctx, by.Device, m.Name)
	if err != nil {
		return Login{}, err
	}
	return a.proceed(ctx, by, m, known)
}

// begin creates a session, and stores a browser that was not known. Its error is ErrCredentials if
// the account was disabled or its password changed since m was read.
func (a *Auth) begin(ctx context.Context, by Attempt, m store.StaffMember, known bool) (l Login, err error) {
	token, hash, err := NewToken(a.random)
	if err != nil {
		return Login{}, err
	}
	now := a.now()
	err = a.store.AddSession(ctx, store.Session{TokenHash: hash, StaffName: m.Name, Browser: by.Browser, Network: networkOf(by.From),
		CreatedAt: now, ExpiresAt: now.Add(SessionTTL), PasswordHash: m.PasswordHash, Subject: m.Subject})
	if err != nil {
		return Login{}, ended(err)
	}
	l.Token, l.Member = token, Member{m.Name, m.Role}
	if known {
		return l, nil
	}
	if l.Device, hash, err = NewToken(a.random); err != nil {
		return Login{}, err
	}
	err = a.store.AddDevice(ctx, store.Device{TokenHash: hash, StaffName: m.Name, CreatedAt: now, ExpiresAt: now.Add(DeviceTTL), PasswordHash: m.PasswordHash, Subject: m.Subject})
	if err != nil {
		return Login{}, ended(err)
	}
	return l, nil
}

// ended returns ErrCredentials if a login was ended while it began.
func ended(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrCredentials
	}
	return err
}
