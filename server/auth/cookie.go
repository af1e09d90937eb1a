package auth

import (
	"context"
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/server/peer"
)

// The cookie's names. With the prefix, browsers refuse a cookie that another
// host of the domain or a page without TLS has set (RFC 6265bis §4.1.3.2).
const (
	cookieName       = "tonprobe_session"
	secureCookieName = "__Host-" + cookieName
)

func nameOfCookie(r *http.Request) string {
	if peer.TLS(r) {
		return secureCookieName
	}
	return cookieName
}

// SetCookie gives the browser its session.
func (a *Auth) SetCookie(w http.ResponseWriter, r *http.Request, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: nameOfCookie(r), Value: token, Path: "/", MaxAge: int(SessionTTL.Seconds()),
		HttpOnly: true, Secure: peer.TLS(r), SameSite: http.SameSiteLaxMode})
}

// ClearCookie takes it away again.
func (a *Auth) ClearCookie(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{
		Name: nameOfCookie(r), Path: "/", MaxAge: -1,
		HttpOnly: true, Secure: peer.TLS(r), SameSite: http.SameSiteLaxMode})
}

// CookieToken is the token of the request's cookie; "" when there is none.
func CookieToken(r *http.Request) string {
	c, err := r.Cookie(nameOfCookie(r))
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
