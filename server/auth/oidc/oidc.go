// Package oidc signs staff in with a provider of OpenID Connect: the authorization code flow with
// PKCE (RFC 7636), state and nonce.
package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// AttemptTTL is the time that a person has at the provider.
	AttemptTTL = 15 * time.Minute

	timeout          = 10 * time.Second // of a request, for which a browser waits
	maxResponseBytes = 1 << 20
	secretBytes      = 32
	metadataTTL      = time.Hour
	failureTTL       = 5 * time.Second
	// clockSkew is the difference of the clocks of the collector and the provider that is accepted.
	clockSkew = 2 * time.Minute
)

var (
	// ErrProvider means that the provider cannot be reached, or is not usable.
	ErrProvider = errors.New("the sign-in service cannot be used")
	// ErrRefused means that the answer of the provider is not valid for this attempt.
	ErrRefused = errors.New("the answer of the sign-in service is not valid")
	// ErrCancelled means that the provider did not sign the person in.
	ErrCancelled = errors.New("the sign-in service did not sign the person in")
)

// Provider is one provider. Its metadata are read at the first use, so that the collector starts
// without it.
type Provider struct {
	config Config
	client *http.Client

	mu       sync.Mutex
	found    *gooidc.Provider
	metadata metadata
	foundAt  time.Time
	failure  error
	failedAt time.Time
}

// metadata is the part of the discovery document that go-oidc does not read.
type metadata struct {
	EndSession string `json:"end_session_endpoint"`
	// StatesIssuer means that answers name the issuer (RFC 9207).
	StatesIssuer bool `json:"authorization_response_iss_parameter_supported"`
}

// New returns a Provider. The Config must be valid.
func New(c Config) *Provider {
	c = c.withDefaults()
	return &Provider{config: c, client: &http.Client{
		Timeout:       timeout,
		Transport:     bounded{c.Transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Label is the name of the provider for people; "" if it has none.
func (p *Provider) Label() string { return p.config.Label }

// Issuer is the issuer of the provider.
func (p *Provider) Issuer() string { return p.config.Issuer }

// AssignsRoles reports whether the provider decides who may sign in, and as what.
func (p *Provider) AssignsRoles() bool { return len(p.config.Roles) > 0 }

// Attempt is what the browser keeps while it is at the provider.
type Attempt struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // RFC 7636, section 4.1
	Next     string `json:"a"` // address to open afterwards
	// Expires is the end of the attempt, in seconds since 1970.
	Expires int64 `json:"e"`
}

// Begin returns a new attempt and the address at the provider to which the browser goes.
func (p *Provider) Begin(ctx context.Context, next string) (a Attempt, address string, err error) {
	found, _, err := p.discover(ctx)
	if err != nil {
		return a, "", err
	}
	a = Attempt{Next: next, Expires: p.config.Now().Add(AttemptTTL).Unix()}
	for _, secret := range []*string{&a.State, &a.Nonce, &a.Verifier} {
		if *secret, err = p.draw(); err != nil {
			return a, "", err
		}
	}
	return a, p.flow(found).AuthCodeURL(a.State, gooidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

// Answer is what the browser brings back from the provider.
type Answer struct{ State, Code, Issuer, Error string }

// AnswerOf returns the answer in the query of an address.
func AnswerOf(query url.Values) Answer {
	return Answer{State: query.Get("state"), Code: query.Get("code"), Issuer: query.Get("iss"), Error: query.Get("error")}
}

// Complete exchanges the code of an answer for the identity of the person. Its error is ErrProvider,
// ErrRefused, ErrCancelled, ErrName, ErrEmail or ErrNoRole.
func (p *Provider) Complete(ctx context.Context, attempt Attempt, answer Answer) (Identity, error) {
	if attempt.State == "" || !same(attempt.State, answer.State) {
		return Identity{}, fmt.Errorf("%w: another state", ErrRefused)
	}
	if p.config.Now().Unix() >= attempt.Expires {
		return Identity{}, fmt.Errorf("%w: it took too long", ErrRefused)
	}
	found, more, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	if answer.Issuer != p.config.Issuer && (answer.Issuer != "" || more.StatesIssuer) {
		return Identity{}, fmt.Errorf("%w: issuer %.200q", ErrRefused, answer.Issuer)
	}
	if answer.Error != "" {
		return Identity{}, fmt.Errorf("%w: %.200q", ErrCancelled, answer.Error)
	}
	ctx = gooidc.ClientContext(ctx, p.client)
	token, err := p.flow(found).Exchange(ctx, answer.Code, oauth2.VerifierOption(attempt.Verifier))
	if err != nil {
		return Identity{}, exchangeError(err)
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := found.VerifierContext(ctx, &gooidc.Config{ClientID: p.config.ClientID, SkipExpiryCheck: true}).Verify(ctx, raw)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	now := p.config.Now()
	switch {
	case now.After(verified.Expiry.Add(clockSkew)):
		return Identity{}, fmt.Errorf("%w: the token expired at %s, which is %s ago by this computer's clock", ErrRefused, verified.Expiry.UTC().Format(time.RFC3339), now.Sub(verified.Expiry).Round(time.Second))
	case verified.IssuedAt.After(now.Add(clockSkew)):
		return Identity{}, fmt.Errorf("%w: the token was issued at %s, which is %s ahead of this computer's clock", ErrRefused, verified.IssuedAt.UTC().Format(time.RFC3339), verified.IssuedAt.Sub(now).Round(time.Second))
	case !same(attempt.Nonce, verified.Nonce):
		return Identity{}, fmt.Errorf("%w: another nonce", ErrRefused)
	}
	claims := claims{}
	if err := verified.Claims(&claims); err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if p.config.incomplete(claims) {
		if err := p.addUserInfo(ctx, found, token, verified.Subject, claims); err != nil {
			return Identity{}, err
		}
	}
	return p.config.identity(verified.Subject, claims)
}

// SignOutAddress returns the address at the provider that ends the person's session there; "" if it
// has none (OpenID Connect RP-Initiated Logout 1.0).
func (p *Provider) SignOutAddress(ctx context.Context) (string, error) {
	_, more, err := p.discover(ctx)
	if err != nil || more.EndSession == "" {
		return "", err
	}
	u, err := url.Parse(more.EndSession)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("%w: end_session_endpoint %.200q", ErrProvider, more.EndSession)
	}
	query := u.Query()
	query.Set("client_id", p.config.ClientID)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// exchangeError tells a refused code from a provider that is not usable.
func exchangeError(err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return fmt.Errorf("%w: %w", ErrProvider, err)
	}
	kind := ErrProvider // such as invalid_client: the configuration is wrong
	if answer.ErrorCode == "invalid_grant" {
		kind = ErrRefused
	}
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	return fmt.Errorf("%w: status %d, %.100q %.300q", kind, status, answer.ErrorCode, answer.ErrorDescription)
}

// addUserInfo adds claims that the ID token does not have (OpenID Connect Core 1.0, section 5.3).
func (p *Provider) addUserInfo(ctx context.Context, found *gooidc.Provider, token *oauth2.Token, subject string, all claims) error {
	if found.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProvider, err)
	}
	if info.Subject != subject { // section 5.3.2
		return fmt.Errorf("%w: the user information is about somebody else", ErrRefused)
	}
	more := claims{}
	if err := info.Claims(&more); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	for name, value := range more {
		if all[name] == nil {
			all[name] = value
		}
	}
	return nil
}

func (p *Provider) flow(found *gooidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, RedirectURL: p.config.RedirectURL,
		Endpoint: found.Endpoint(), Scopes: append([]string{gooidc.ScopeOpenID}, p.config.Scopes...)}
}

// discover returns the metadata of the provider. It reads them again after metadataTTL, and uses the
// old ones if that fails. After a failure it does not try again for failureTTL, so that requests do
// not queue for the time limit of a provider that does not answer.
func (p *Provider) discover(ctx context.Context) (*gooidc.Provider, metadata, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.config.Now()
	if p.found != nil && now.Sub(p.foundAt) < metadataTTL {
		return p.found, p.metadata, nil
	}
	if p.failure == nil || now.Sub(p.failedAt) >= failureTTL {
		p.failure = p.read(ctx)
		p.failedAt = p.config.Now()
	}
	if p.found == nil {
		return nil, metadata{}, p.failure
	}
	return p.found, p.metadata, nil
}

// read reads the metadata, with the lock held.
func (p *Provider) read(ctx context.Context) error {
	// The provider keeps the context for its keys, which it reads again later.
	found, err := gooidc.NewProvider(gooidc.ClientContext(context.WithoutCancel(ctx), p.client), p.config.Issuer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProvider, err)
	}
	var more metadata
	if err := found.Claims(&more); err != nil {
		return fmt.Errorf("%w: %w", ErrProvider, err)
	}
	p.found, p.metadata, p.foundAt = found, more, p.config.Now()
	return nil
}

func (p *Provider) draw() (string, error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(p.config.Random, b); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// bounded limits the responses of the provider.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxResponseBytes), response.Body}
	return response, nil
}
