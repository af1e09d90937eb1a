package auth

import (
	"context"
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/server/peer"
)

// The cookies' names. With the prefix, browsers refuse a cookie that another
// host of the domain or a page without TLS has set (RFC 6265bis §4.1.3.2).
const (
	sessionCookie = "tonprobe_session"
	deviceCookie  = "tonprobe_device"
	securePrefix  = "__Host-"
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

// SetCookies gives the browser its session, and the token by which it is known
// next time.
func (a *Auth) SetCookies(w http.ResponseWriter, r *http.Request, l Login) {
	setCookie(w, r, sessionCookie, l.Token, int(SessionTTL.Seconds()))
	if l.Device != "" {
		setCookie(w, r, deviceCookie, l.Device, int(DeviceTTL.Seconds()))
	}
}

// ClearCookie ends the browser's session. The browser stays known.
func (a *Auth) ClearCookie(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, sessionCookie, "", -1)
}

// AttemptOf says who sends the request.
func AttemptOf(r *http.Request) Attempt {
	return Attempt{From: peer.Addr(r), Device: cookieValue(r, deviceCookie)}
}

// CookieToken is the token of the request's session; "" when there is none.
func CookieToken(r *http.Request) string { return cookieValue(r, sessionCookie) }

func cookieValue(r *http.Request, name string) string {
	c, err := r.Cookie(nameOfCookie(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}

type staffKey struct{}

// StaffName is the member whom Require let through; "" outside of it.
func StaffName(ctx context.Context) string {
	name, _ := ctx.Value(staffKey{}).(string)
	return name
}

// Require lets only signed-in staff reach next. Everyone else gets to denied,
// and a fault of the store to failed.
func (a *Auth) Require(next, denied http.Handler, failed func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, err := a.Session(r.Context(), CookieToken(r))
		switch {
		case errors.Is(err, ErrNoSession):
			denied.ServeHTTP(w, r)
		case err != nil:
			failed(w, r, err)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), staffKey{}, name)))
		}
	})
}

// Know finds out who is signed in, for pages that are open to everybody. A fault of
// the store counts as nobody: such a page says nothing secret.
func (a *Auth) Know(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, err := a.Session(r.Context(), CookieToken(r)); err == nil {
			r = r.WithContext(context.WithValue(r.Context(), staffKey{}, name))
		}
		next.ServeHTTP(w, r)
	})
}

// SameOrigin refuses what another site's page sends in the name of signed-in
// staff. Browsers say where a request comes from, so no form needs a token.
// publicOrigin (scheme://host) is the one that people use, where a proxy changes the Host
// header; "" when none does.
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
