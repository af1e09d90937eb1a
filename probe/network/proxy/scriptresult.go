package proxy

import (
	"net/url"
	"strings"
)

// parseResult reads what a script chose, such as "PROXY a:8080; SOCKS b; DIRECT".
// What is not understood is left out; where nothing is left, browsers connect
// directly, and so do we.
func parseResult(text string) (all []*url.URL) {
	for one := range strings.SplitSeq(text, ";") {
		kind, address, _ := strings.Cut(strings.TrimSpace(one), " ")
		switch strings.ToUpper(kind) {
		case "DIRECT":
			all = append(all, nil)
		case "PROXY", "HTTP":
			all = appendProxy(all, address, "http")
		case "HTTPS":
			all = appendProxy(all, address, "https")
		case "SOCKS", "SOCKS5":
			// SOCKS alone once meant version 4; servers of today that take it take 5.
			all = appendProxy(all, address, "socks5")
		}
		if len(all) == maxChoices {
			break
		}
	}
	if len(all) == 0 {
		return []*url.URL{nil}
	}
	return all
}

// maxChoices is how many ways are tried at most.
const maxChoices = 8

func appendProxy(all []*url.URL, address, scheme string) []*url.URL {
	address = strings.TrimSpace(address)
	if strings.ContainsAny(address, "/@ ") {
		return all
	}
	if p := parseAddress(address, scheme); p != nil {
		all = append(all, p)
	}
	return all
}
