package whip

import (
	"strings"

	"github.com/pion/stun/v4"

	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// maxServers limits the servers of an endpoint.
const maxServers = 8

// parseLinks parses the STUN and TURN servers of an endpoint (RFC 9725 §4.6):
//
//	Link: <turn:turn.example.net?transport=udp>; rel="ice-server"; username="u"; credential="p"; credential-type="password"
//
// Links with other relations are ignored.
func parseLinks(values []string) (list relaytest.List) {
	for _, value := range values {
		for value != "" {
			var target string
			var params map[string]string
			target, params, value = nextLink(value)
			if target == "" || !hasRelation(params["rel"], "ice-server") {
				continue
			}
			u, err := stun.ParseURI(target)
			isRelay := err == nil && (u.Scheme == stun.SchemeTypeTURN || u.Scheme == stun.SchemeTypeTURNS)
			switch {
			case err != nil, isRelay && (params["username"] == "" || params["credential"] == ""):
				list.Bad++
			case len(list.ICEServers) < maxServers:
				list.ICEServers = append(list.ICEServers, wire.ICEServer{URLs: []string{target}, Username: params["username"], Credential: params["credential"]})
			}
		}
	}
	return list
}

// hasRelation reports whether a list of relations (RFC 8288 §3.3) contains the named
// one.
func hasRelation(list, want string) bool {
	for _, word := range strings.Fields(list) {
		if strings.EqualFold(word, want) {
			return true
		}
	}
	return false
}

// nextLink parses the first link of a header's value (RFC 8288 §3). target is "" if the text
// is not a link.
func nextLink(value string) (target string, params map[string]string, rest string) {
	_, value, found := strings.Cut(value, "<")
	if !found {
		return "", nil, ""
	}
	target, value, found = strings.Cut(value, ">")
	if !found {
		return "", nil, ""
	}
	params = map[string]string{}
	for {
		value = strings.TrimLeft(value, " \t")
		if !strings.HasPrefix(value, ";") {
			_, rest, _ = strings.Cut(value, ",")
			return strings.TrimSpace(target), params, rest
		}
		var name, content string
		name, content, value = nextParam(value[1:])
		if _, again := params[name]; name != "" && !again { // the first one wins
			params[name] = content
		}
	}
}

// nextParam parses name=token or name="quoted string" (RFC 9110 §5.6.4).
func nextParam(value string) (name, content, rest string) {
	end := strings.IndexAny(value, "=;,")
	if end < 0 || value[end] != '=' {
		end = max(end, 0)
		return "", "", value[end:]
	}
	name, value = strings.ToLower(strings.TrimSpace(value[:end])), strings.TrimLeft(value[end+1:], " \t")
	if !strings.HasPrefix(value, `"`) {
		if end = strings.IndexAny(value, ";,"); end < 0 {
			end = len(value)
		}
		return name, strings.TrimSpace(value[:end]), value[end:]
	}
	var b strings.Builder
	for i := 1; i < len(value); i++ {
		switch {
		case value[i] == '"':
			return name, b.String(), value[i+1:]
		case value[i] == '\\' && i+1 < len(value):
			i++
		}
		b.WriteByte(value[i])
	}
	return name, b.String(), ""
}

// merged adds the servers of b to a.
func merged(a, b relaytest.List) relaytest.List {
	known := map[string]bool{}
	for _, s := range a.ICEServers {
		known[s.URLs[0]] = true
	}
	for _, s := range b.ICEServers {
		if !known[s.URLs[0]] && len(a.ICEServers) < maxServers {
			a.ICEServers = append(a.ICEServers, s)
		}
	}
	a.Bad = max(a.Bad, b.Bad)
	return a
}
