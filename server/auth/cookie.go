package auth

import (
	"context"
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/server/peer"
)

// Names of the cookies. With the prefix, browsers reject a cookie set by another host of the
// domain or by a page without TLS (RFC 6265bis §4.1.3.2).
const (
	sessionCookie   = "tonprobe_session"
	deviceCookie    = "tonprobe_device"
	challengeCookie = "tonprobe_challenge"
	providerCookie  = "tonprobe_oidc"
	securePrefix    = "__Host-"
)

func nameOfCookie(r *http.Request, name string) string {
	if peer.TLS(r) {
		return securePrefix + name
	}
	return name
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: nameOfCookie(r, name), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: peer.TLS(r), SameSite: http.SameSiteLaxMode})
}

// SetCookies sets the cookies of the session and of the known browser, or that of the challenge.
func (a *Auth) SetCookies(w http.ResponseWriter, r *http.Request, l Login) {
	if l.Challenge != "" {
		setCookie(w, r, challengeCookie, l.Challenge, int(ChallengeTTL.Seconds()))
		return
	}
	if cookieValue(r, challengeCookie) != "" {
		setCookie(w, r, challengeCookie, "", -1)
	}
	setCookie(w, r, sessionCookie, l.Token, int(SessionTTL.Seconds()))
	if l.Device != "" {
		setCookie(w, r, deviceCookie, l.Device, int(DeviceTTL.Seconds()))
	}
}

// ClearCookie ends the browser's session. The browser remains known.
func (a *Auth) ClearCookie(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, sessionCookie, "", -1)
}

// AttemptOf returns the origin of a login request.
func AttemptOf(r *http.Request) Attempt {
	return Attempt{From: peer.Addr(r), Device: cookieValue(r, deviceCookie), Browser: browserOf(r.UserAgent())}
}

// CookieToken returns the session token of the request; "" if there is none.
func CookieToken(r *http.Request) string { return cookieValue(r, sessionCookie) }

// ChallengeToken returns the token of the challenge of the request; "" if there is none.
func ChallengeToken(r *http.Request) string { return cookieValue(r, challengeCookie) }

func cookieValue(r *http.Request, name string) string {
	c, err := r.Cookie(nameOfCookie(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}

type staffKey struct{}

// MemberOf returns the member whom Require or Know recognised; the zero Member if nobody is signed
// in.
func MemberOf(ctx context.Context) Member {
	m, _ := ctx.Value(staffKey{}).(Member)
	return m
}

// StaffName returns the name of MemberOf.
func StaffName(ctx context.Context) string { return MemberOf(ctx).Name }

// Require admits only signed-in staff to next. Other requests go to denied, and errors of the
// store to failed.
func (a *Auth) Require(next, denied http.Handler, failed func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		member, err := a.Session(r.Context(), CookieToken(r))
		switch {
		case errors.Is(err, ErrNoSession):
			denied.ServeHTTP(w, r)
		case err != nil:
			failed(w, r, err)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), staffKey{}, member)))
		}
	})
}

// Know determines who is signed in, for public pages. An error of the store counts as not signed
// in, because such a page contains nothing secret.
func (a *Auth) Know(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if member, err := a.Session(r.Context(), CookieToken(r)); err == nil {
			r = r.WithContext(context.WithValue(r.Context(), staffKey{}, member))
		}
		next.ServeHTTP(w, r)
	})
}

// SameOrigin rejects requests that another site's page sends in the name of signed-in staff.
// Browsers state the origin of a request, so forms need no token. publicOrigin
// (scheme://host) is the origin that people use if a proxy changes the Host header, otherwise "".
func SameOrigin(publicOrigin string, denied, next http.Handler) (http.Handler, error) {
	p := http.NewCrossOriginProtection()
	if publicOrigin != "" {
		if err := p.AddTrustedOrigin(publicOrigin); err != nil {
			return nil, err
		}
	}
	p.SetDenyHandler(denied)
	return p.Handler(next), nil
}
