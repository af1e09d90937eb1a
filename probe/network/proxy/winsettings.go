package proxy

import "strings"

// internetSettings contains values of this registry key of Windows, below
// Software\Microsoft\Windows\CurrentVersion.
type internetSettings struct {
	ProxyEnable   bool
	ProxyServer   string // "proxy:8080" or "http=a:80;https=b:81;socks=c:1080"
	ProxyOverride string // "*.example.org;10.*;<local>"
	AutoConfigURL string
}

// settings follows WinINet: a script has priority over the servers, which are used
// only while they are enabled.
func (i internetSettings) settings() Settings {
	if i.AutoConfigURL != "" {
		return Settings{ScriptURL: strings.TrimSpace(i.AutoConfigURL)}
	}
	if !i.ProxyEnable {
		return Settings{}
	}
	return parseWindows(i.ProxyServer, i.ProxyOverride)
}

// parseWindows parses a list of servers and one of exceptions in the format of
// ProxyServer, ProxyOverride and WinHTTP. Semicolons or blanks separate the
// entries.
func parseWindows(servers, exceptions string) Settings {
	var s Settings
	for _, one := range parted(servers) {
		kind, address, named := strings.Cut(one, "=")
		if !named {
			s.HTTP = parseAddress(one, "http")
			s.HTTPS = s.HTTP
			continue
		}
		switch strings.ToLower(kind) {
		case "http":
			s.HTTP = parseAddress(address, "http")
		case "https":
			s.HTTPS = parseAddress(address, "http")
		case "socks":
			// WinINet uses SOCKS 4 here. Servers that still support it also support
			// version 5.
			s.SOCKS = parseAddress(address, "socks5")
		}
	}
	s.Bypass = parted(exceptions)
	return s
}

func parted(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
}
