package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// Limits of the second factor.
const (
	// ChallengeTTL is the time to enter the code after the password.
	ChallengeTTL  = 5 * time.Minute
	recoveryCodes = 10
	// usedCodeTTL is how long a used code is stored. After that it could be accepted again only if the
	// clock were set back to its step.
	usedCodeTTL = 7 * 24 * time.Hour
	// recoveryTTL keeps recovery codes: they do not expire in practice.
	recoveryTTL = 100 * 365 * 24 * time.Hour
)

var (
	// ErrCode means that a code is wrong or was used before.
	ErrCode = errors.New("this code is wrong or has already been used")
	// ErrChallenge means that a login has to start again with the password.
	ErrChallenge = errors.New("the time for the code is over")
	// ErrNoSetup means that there is no second factor to confirm.
	ErrNoSetup = errors.New("the second factor is not being set up")
)

// proceed signs in a member whose password or link was right, or requires the code of the second factor.
func (a *Auth) proceed(ctx context.Context, by Attempt, m store.StaffMember, known bool) (Login, error) {
	if m.SealedSecret == "" {
		return a.begin(ctx, by, m, known)
	}
	token, hash, err := NewToken(a.random)
	if err != nil {
		return Login{}, err
	}
	now := a.now()
	err = a.store.AddLoginChallenge(ctx, store.LoginChallenge{
		TokenHash: hash, StaffName: m.Name, CreatedAt: now, ExpiresAt: now.Add(ChallengeTTL), PasswordHash: m.PasswordHash, Subject: m.Subject})
	if err != nil {
		return Login{}, ended(err)
	}
	return Login{Challenge: token, Member: Member{m.Name, m.Role}}, nil
}

// Complete signs in with the code of the second factor, or with a recovery code. Its error is
// ErrCode, with the member in the Login, ErrChallenge, a *LimitError, or an error of the store.
func (a *Auth) Complete(ctx context.Context, by Attempt, challenge, code string) (Login, error) {
	hash, ok := tokenHash(challenge)
	if !ok {
		return Login{}, ErrChallenge
	}
	c, err := a.store.LoginChallenge(ctx, hash, a.now())
	if errors.Is(err, store.ErrNotFound) {
		return Login{}, ErrChallenge
	}
	if err != nil {
		return Login{}, err
	}
	device, known, err := a.device(ctx, by.Device, c.StaffName)
	if err != nil {
		return Login{}, err
	}
	taken, err := a.budgets.takeCode(ctx, by.From, c.StaffName, device, known)
	if err != nil {
		return Login{}, err
	}
	m, err := a.store.StaffMember(ctx, c.StaffName)
	if err != nil {
		return Login{}, err
	}
	if m.SealedSecret == "" {
		return Login{}, ErrChallenge // removed in the meantime
	}
	if err := a.checkCode(ctx, m, code); err != nil {
		return Login{Member: Member{m.Name, m.Role}}, wrongCode(ctx, taken, err)
	}
	// Of two requests with the same challenge, one succeeds.
	if err := a.store.UseLoginChallenge(ctx, hash); errors.Is(err, store.ErrNotFound) {
		return Login{}, ErrChallenge
	} else if err != nil {
		return Login{}, err
	}
	taken.forgive(ctx)
	l, err := a.begin(ctx, by, m, known)
	if errors.Is(err, ErrCredentials) {
		return Login{}, ErrChallenge // the password changed in the meantime
	}
	return l, err
}

// wrongCode stores that a code was wrong, and returns the error of the attempt.
func wrongCode(ctx context.Context, taken charge, err error) error {
	if !errors.Is(err, ErrCode) {
		return err
	}
	return cmp.Or(taken.fail(ctx), err)
}

// checkCode accepts each code once.
func (a *Auth) checkCode(ctx context.Context, m store.StaffMember, code string) error {
	if recovery, ok := NormalizeEnrolCode(code); ok {
		err := a.store.UseRecoveryCode(ctx, m.Name, store.HashOf(recovery))
		if errors.Is(err, store.ErrNotFound) {
			return ErrCode
		}
		return err
	}
	secret, err := a.sealer.open(m.Name, m.SealedSecret)
	if err != nil {
		return fmt.Errorf("second factor of user %s: %w", m.Name, err)
	}
	return a.useCode(ctx, m.Name, secret, code)
}

func (a *Auth) useCode(ctx context.Context, name string, secret []byte, code string) error {
	if len(code) > 64 {
		return ErrCode
	}
	now := a.now()
	step, ok := matchTOTP(secret, strings.Join(strings.Fields(code), ""), now)
	if !ok {
		return ErrCode
	}
	// A code is identified by its secret and step: another secret has other codes in the same step.
	used := store.HashOf(name + "\x00" + string(secret) + "\x00" + strconv.FormatInt(step, 10))
	err := a.store.AddUsedCode(ctx, store.UsedCode{Hash: used, StaffName: name, UsedAt: now, ExpiresAt: now.Add(usedCodeTTL)})
	if errors.Is(err, store.ErrExists) {
		return ErrCode
	}
	return err
}

// SecondFactor describes the state of a member's second factor.
type SecondFactor struct {
	On bool
	// RecoveryCodes is the number of unused ones.
	RecoveryCodes int
	// Text and Address contain the secret of a second factor that is being set up, for typing and for a
	// QR code; "" otherwise.
	Text, Address string
}

// SecondFactor returns the state of a member's second factor.
func (a *Auth) SecondFactor(ctx context.Context, name string) (f SecondFactor, err error) {
	m, err := a.store.StaffMember(ctx, name)
	if err != nil {
		return f, err
	}
	f.On = m.SealedSecret != ""
	if f.RecoveryCodes, err = a.store.CountRecoveryCodes(ctx, name); err != nil {
		return f, err
	}
	if m.SealedNextSecret == "" {
		return f, nil
	}
	secret, err := a.sealer.open(name, m.SealedNextSecret)
	if err != nil {
		return f, fmt.Errorf("second factor of user %s: %w", name, err)
	}
	f.Text, f.Address = totpText(secret), totpAddress(name, secret)
	return f, nil
}

// BeginSecondFactor verifies the password within the limits of a login, and draws a secret, which takes
// effect with ConfirmSecondFactor. Until then a present one remains in effect.
func (a *Auth) BeginSecondFactor(ctx context.Context, by Attempt, name, password string) error {
	if _, _, err := a.verify(ctx, by, name, password); err != nil {
		return err
	}
	secret := make([]byte, totpSecretBytes)
	if _, err := io.ReadFull(a.random, secret); err != nil {
		return fmt.Errorf("draw a secret: %w", err)
	}
	sealed, err := a.sealer.seal(name, secret)
	if err != nil {
		return err
	}
	return a.store.SetNextSecret(ctx, name, sealed)
}

// ConfirmSecondFactor checks a code of the drawn secret, which shows that the app has it. From then
// on it is required. The recovery codes replace earlier ones and cannot be read again. Its error is
// ErrCode, ErrNoSetup, a *LimitError, or an error of the store.
func (a *Auth) ConfirmSecondFactor(ctx context.Context, by Attempt, name, code string) (recovery []string, err error) {
	m, err := a.store.StaffMember(ctx, name)
	if err != nil {
		return nil, err
	}
	if m.SealedNextSecret == "" {
		return nil, ErrNoSetup
	}
	device, known, err := a.device(ctx, by.Device, name)
	if err != nil {
		return nil, err
	}
	taken, err := a.budgets.takeCode(ctx, by.From, name, device, known)
	if err != nil {
		return nil, err
	}
	secret, err := a.sealer.open(name, m.SealedNextSecret)
	if err != nil {
		return nil, fmt.Errorf("second factor of user %s: %w", name, err)
	}
	if err := a.useCode(ctx, name, secret, code); err != nil {
		return nil, wrongCode(ctx, taken, err)
	}
	hashes := make([]store.Hash, recoveryCodes)
	for i := range hashes {
		text, err := NewEnrolCode(a.random)
		if err != nil {
			return nil, err
		}
		recovery, hashes[i] = append(recovery, text), store.HashOf(text)
	}
	now := a.now()
	err = a.store.ConfirmSecret(ctx, name, m.SealedNextSecret, hashes, now, now.Add(recoveryTTL))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoSetup // replaced in the meantime
	}
	if err != nil {
		return nil, err
	}
	taken.forgive(ctx)
	return recovery, nil
}

// RemoveSecondFactor verifies the password within the limits of a login, and removes the secret and
// the recovery codes.
func (a *Auth) RemoveSecondFactor(ctx context.Context, by Attempt, name, password string) error {
	if _, _, err := a.verify(ctx, by, name, password); err != nil {
		return err
	}
	return a.store.RemoveSecret(ctx, name)
}
