package proxy

import (
	"net/url"
	"strings"
)

// parseResult parses the result of a script, such as "PROXY a:8080; SOCKS b;
// DIRECT". Unknown parts are ignored. If nothing remains, the connection is direct,
// as in browsers.
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
			// SOCKS alone originally meant version 4; current servers that support
			// it also support version 5.
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

// maxChoices limits the number of proxies to try.
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
