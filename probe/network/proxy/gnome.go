package proxy

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// parseGNOME parses the output of `gsettings list-recursively
// org.gnome.system.proxy`, such as
//
//	org.gnome.system.proxy mode 'manual'
//	org.gnome.system.proxy ignore-hosts ['localhost', '127.0.0.0/8', '::1']
//	org.gnome.system.proxy.http host 'proxy.example.org'
//	org.gnome.system.proxy.http port 3128
func parseGNOME(text string) Settings {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		schema, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		key, value, ok2 := strings.Cut(rest, " ")
		if ok && ok2 {
			values[strings.TrimPrefix(schema, "org.gnome.system.proxy")+"."+key] = strings.TrimSpace(value)
		}
	}
	switch unquote(values[".mode"]) {
	case "auto":
		return Settings{ScriptURL: unquote(values[".autoconfig-url"])}
	case "manual":
	default:
		return Settings{}
	}
	at := func(schema, scheme string) *url.URL {
		host := unquote(values["."+schema+".host"])
		port, err := strconv.ParseUint(values["."+schema+".port"], 10, 16)
		if host == "" || err != nil || port == 0 {
			return nil
		}
		return parseAddress(net.JoinHostPort(strings.Trim(host, "[]"), strconv.FormatUint(port, 10)), scheme)
	}
	s := Settings{HTTP: at("http", "http"), HTTPS: at("https", "http"), SOCKS: at("socks", "socks5")}
	if s.HTTP != nil && values[".http.use-authentication"] == "true" {
		s.HTTP.User = url.UserPassword(unquote(values[".http.authentication-user"]), unquote(values[".http.authentication-password"]))
	}
	for _, host := range list(values[".ignore-hosts"]) {
		s.Bypass = append(s.Bypass, host)
		if !strings.ContainsAny(host, "*/:") {
			s.Bypass = append(s.Bypass, "."+strings.TrimPrefix(host, ".")) // GLib: a name includes all names below it
		}
	}
	return s
}

// unquote removes the quotes of a string in GVariant's text format.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		return ""
	}
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\"`, `"`).Replace(s[1 : len(s)-1])
}

// list parses a list of strings in GVariant's text format.
func list(s string) (all []string) {
	s = strings.TrimPrefix(s, "@as ") // type prefix of an empty list
	for one := range strings.SplitSeq(strings.Trim(s, "[]"), ",") {
		if one = unquote(strings.TrimSpace(one)); one != "" {
			all = append(all, one)
		}
	}
	return all
}
