package report

import (
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
)

// reLogAddress matches what may be an address, with a zone, a port or a prefix length.
var reLogAddress = regexp.MustCompile(`\[?[0-9A-Fa-f]*[:.][0-9A-Fa-f:.]+(?:%[\w.-]+)?\]?(?:[:/]\d+)?`)

// LogAttr is the ReplaceAttr of all logs. A log is sent to support, so it contains
// networks in place of addresses, as a report does, and no secrets. Libraries put both
// into their messages, so texts are searched as well. Loopback and unspecified
// addresses identify nobody and are kept.
func LogAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(cleanLog(a.Key, a.Value.String()))
	case slog.KindAny:
		// A value without an address keeps its type, and thereby the handler's format.
		text := fmt.Sprintf("%+v", a.Value.Any())
		if cut := cleanLog(a.Key, text); cut != text {
			a.Value = slog.StringValue(cut)
		}
	}
	return a
}

func cleanLog(key, s string) string {
	if reSecretKey.MatchString(key) && s != "" {
		return secretText
	}
	return cutAddresses(cutSecrets(s))
}

func cutAddresses(s string) string {
	if !strings.ContainsAny(s, ".:") {
		return s
	}
	return reLogAddress.ReplaceAllStringFunc(s, func(found string) string {
		bare := strings.TrimRight(found, ":.")
		for _, text := range []string{found, bare} {
			if cut, ok := cutAddress(text); ok {
				return cut + found[len(text):]
			}
		}
		return found
	})
}

// cutAddress truncates an address to its network and keeps its port.
func cutAddress(s string) (string, bool) {
	addr, port := netip.Addr{}, ""
	if at, err := netip.ParseAddrPort(s); err == nil {
		addr, port = at.Addr(), fmt.Sprintf(":%d", at.Port())
	} else if network, err := netip.ParsePrefix(s); err == nil {
		addr = network.Addr()
		if a := addr.Unmap(); a.Is4() && network.Bits() <= keptBitsIPv4 || !a.Is4() && network.Bits() <= keptBitsIPv6 {
			return s, true // already a network
		}
	} else if addr, err = netip.ParseAddr(strings.Trim(s, "[]")); err != nil {
		return "", false
	}
	if addr.IsLoopback() || addr.IsUnspecified() {
		return s, true
	}
	return Truncate(addr) + port, true
}
