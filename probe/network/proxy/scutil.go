package proxy

import (
	"net"
	"net/url"
	"strings"
)

// parseScutil parses the output of `scutil --proxy` on macOS, such as
//
//	<dictionary> {
//	  ExceptionsList : <array> {
//	    0 : *.local
//	    1 : 169.254/16
//	  }
//	  HTTPSEnable : 1
//	  HTTPSPort : 8080
//	  HTTPSProxy : proxy.example.org
//	}
//
// More deeply nested values concern single interfaces and are ignored.
func parseScutil(text string) Settings {
	values := map[string]string{}
	var exceptions, within []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, " : ")
		switch {
		case line == "}":
			if len(within) > 0 {
				within = within[:len(within)-1]
			}
		case strings.HasSuffix(line, "{"):
			within = append(within, key)
		case len(within) == 1:
			values[key] = value
		case len(within) == 2 && within[1] == "ExceptionsList":
			exceptions = append(exceptions, value)
		}
	}
	if values["ProxyAutoConfigEnable"] == "1" && values["ProxyAutoConfigURLString"] != "" {
		return Settings{ScriptURL: values["ProxyAutoConfigURLString"]}
	}
	at := func(kind, scheme string) *url.URL {
		if values[kind+"Enable"] != "1" || values[kind+"Proxy"] == "" {
			return nil
		}
		address := values[kind+"Proxy"]
		if port := values[kind+"Port"]; port != "" && port != "0" {
			address = net.JoinHostPort(strings.Trim(address, "[]"), port)
		}
		return parseAddress(address, scheme)
	}
	s := Settings{HTTP: at("HTTP", "http"), HTTPS: at("HTTPS", "http"), SOCKS: at("SOCKS", "socks5"), Bypass: exceptions}
	if values["ExcludeSimpleHostnames"] == "1" {
		s.Bypass = append(s.Bypass, "<local>")
	}
	return s
}
