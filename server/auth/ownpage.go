package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/store"
)

// Lifetimes of the access to the page about oneself.
const (
	OwnPageCodeTTL  = 10 * time.Minute
	OwnPageVisitTTL = 30 * time.Minute
)

// Budgets of wrong codes, for an address and for its network. With so few attempts, nobody can guess the
// 60 bits of a code within its ten minutes.
const (
	ownPageBurst        = 10
	ownPageEvery        = 30 * time.Second
	ownPageNetworkBurst = 50
	ownPageNetworkEvery = 6 * time.Second
)

// ErrOwnPageCode means that a code is unknown, used or expired.
var ErrOwnPageCode = errors.New("this code is not valid, has already been used or has expired")

const ownPageCookie = "tonprobe_mine"

// NewOwnPageCode creates a one-time code for the page about the participant of an agent. store.ErrNotFound
// means that the agent is revoked, or its participant blocked.
func NewOwnPageCode(ctx context.Context, s store.OwnPages, random io.Reader, agentID string, now time.Time) (code string, expires time.Time, err error) {
	if code, err = NewEnrolCode(random); err != nil {
		return "", expires, err
	}
	expires = now.Add(OwnPageCodeTTL)
	return code, expires, s.AddOwnPageCode(ctx, agentID, store.HashOf(code), expires)
}

// OwnPages lets participants open the page about themselves.
type OwnPages struct {
	store             store.OwnPages
	random            io.Reader
	now               func() time.Time
	shared            *limit.Shared
	address, networks *limit.Limiter
}

// NewOwnPages returns an OwnPages. shared counts wrong codes over all collectors; nil for this process alone.
func NewOwnPages(s store.OwnPages, random io.Reader, now func() time.Time, shared *limit.Shared) *OwnPages {
	return &OwnPages{store: s, random: random, now: now, shared: shared,
		address:  limit.New(ownPageEvery, ownPageBurst, rememberedKeys, now),
		networks: limit.New(ownPageNetworkEvery, ownPageNetworkBurst, rememberedKeys, now)}
}

// OwnVisit is a visit of the page about oneself.
type OwnVisit struct{ Token, ParticipantID string }

// Open redeems a code. Its error is ErrOwnPageCode, a *LimitError, or an error of the store.
func (o *OwnPages) Open(ctx context.Context, from netip.Addr, typed string) (OwnVisit, error) {
	attempt, err := charge{shared: o.shared, refunded: []limit.Bucket{{Limiter: o.address, Name: "own page", Key: limit.AddressKey(from)}},
		kept: []limit.Bucket{{Limiter: o.networks, Name: "own page network", Key: limit.NetworkKey(from)}}}.make(ctx)
	if err != nil {
		return OwnVisit{}, err
	}
	token, visit, err := NewToken(o.random)
	if err != nil {
		return OwnVisit{}, err
	}
	err = ErrOwnPageCode
	v := OwnVisit{Token: token}
	if code, ok := NormalizeEnrolCode(typed); ok {
		now := o.now()
		v.ParticipantID, err = o.store.OpenOwnPage(ctx, store.HashOf(code), visit, now, now.Add(OwnPageVisitTTL))
	}
	if errors.Is(err, ErrOwnPageCode) || errors.Is(err, store.ErrNotFound) {
		if err := attempt.fail(ctx); err != nil {
			return OwnVisit{}, fmt.Errorf("count a wrong code: %w", err)
		}
		return OwnVisit{}, ErrOwnPageCode
	}
	if err != nil {
		return OwnVisit{}, err
	}
	attempt.forgive(ctx)
	return v, nil
}

// Participant returns the participant of the visit of a request, or ErrNoSession.
func (o *OwnPages) Participant(r *http.Request) (id string, err error) {
	hash, ok := tokenHash(cookieValue(r, ownPageCookie))
	if !ok {
		return "", ErrNoSession
	}
	id, err = o.store.OwnPage(r.Context(), hash, o.now())
	if errors.Is(err, store.ErrNotFound) {
		return "", ErrNoSession
	}
	return id, err
}

// SetCookie gives the browser the visit.
func (o *OwnPages) SetCookie(w http.ResponseWriter, r *http.Request, v OwnVisit) {
	setCookie(w, r, ownPageCookie, v.Token, int(OwnPageVisitTTL.Seconds()))
}

// Close ends the visit of a request.
func (o *OwnPages) Close(w http.ResponseWriter, r *http.Request) error {
	if hash, ok := tokenHash(cookieValue(r, ownPageCookie)); ok {
		if err := o.store.CloseOwnPage(r.Context(), hash); err != nil {
			return err
		}
	}
	setCookie(w, r, ownPageCookie, "", -1)
	return nil
}
