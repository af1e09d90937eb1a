package web

import (
	"net/http"

	"github.com/tonprobe/tonprobe/server/peer"
)

// policy allows only content from this server, and no inline scripts or styles.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// checkPolicy also allows the browser check to run its program, which is WebAssembly. It allows no
// text to become a script.
const checkPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// permissions are the features of the browser that no page uses, except the microphone.
const permissions = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), payment=(), usb=()"

// Secure sets the security headers of every response.
func Secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", permissions+", microphone=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if peer.TLS(r) { // RFC 6797, section 7.2: never over plain HTTP
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.Set("Cache-Control", "no-store") // pages contain names; only assets may be cached
		next.ServeHTTP(w, r)
	})
}
