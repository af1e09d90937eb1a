package auth

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/peer"
)

// browserOf names the program and the system of a User-Agent header, so that a person recognises
// their own sessions; "" if it knows neither. The header itself is not stored.
func browserOf(userAgent string) string {
	program := firstIn(userAgent, []part{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}})
	system := firstIn(userAgent, []part{{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"},
		{"Mac OS X", "macOS"}, {"Linux", "Linux"}})
	return strings.Trim(program+", "+system, ", ")
}

// part is a part of a User-Agent header and the name that it stands for.
type part struct{ text, name string }

func firstIn(userAgent string, parts []part) string {
	for _, p := range parts {
		if strings.Contains(userAgent, p.text) {
			return p.name
		}
	}
	return ""
}

// Network returns the /24 or /48 of the client of a request; "" if it has no address.
func Network(r *http.Request) string { return networkOf(peer.Addr(r)) }

// networkOf is the part of an address that a session is stored with; "" if there is none.
func networkOf(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return limit.NetworkKey(a)
}
