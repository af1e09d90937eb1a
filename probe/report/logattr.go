package report

import (
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
)

// reLogAddress finds what may be an address, with a zone, a port or the length
// of a network behind it.
var reLogAddress = regexp.MustCompile(`\[?[0-9A-Fa-f]*[:.][0-9A-Fa-f:.]+(?:%[\w.-]+)?\]?(?:[:/]\d+)?`)

// LogAttr is the ReplaceAttr of every log that a program writes. A log is sent to
// support, so it holds the network in place of an address, as a report does, and no
// secret. Libraries put both into their messages, therefore texts are searched. Loopback
// and unspecified addresses, which identify nobody, stay.
func LogAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(cleanLog(a.Key, a.Value.String()))
	case slog.KindAny:
		// What has no address in it keeps its type, and with it the handler's form.
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

// cutAddress is an address cut to its network; its port stays.
func cutAddress(s string) (string, bool) {
	addr, port := netip.Addr{}, ""
	if at, err := netip.ParseAddrPort(s); err == nil {
		addr, port = at.Addr(), fmt.Sprintf(":%d", at.Port())
	} else if network, err := netip.ParsePrefix(s); err == nil {
		addr = network.Addr()
		if a := addr.Unmap(); a.Is4() && network.Bits() <= keptBitsIPv4 || !a.Is4() && network.Bits() <= keptBitsIPv6 {
			return s, true // a network already
		}
	} else if addr, err = netip.ParseAddr(strings.Trim(s, "[]")); err != nil {
		return "", false
	}
	if addr.IsLoopback() || addr.IsUnspecified() {
		return s, true
	}
	return Truncate(addr) + port, true
}
