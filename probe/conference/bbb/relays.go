package bbb

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/report"
)

// maxServers bounds the servers that a list may name.
const maxServers = 8

// serverList is the answer of /stuns.
type serverList struct {
	wire.ICEConfig
	// bad is the number of entries that no client can use, such as one without a scheme.
	bad int
}

// parseServers reads the answer of /stuns.
func parseServers(body []byte) (serverList, error) {
	var answer struct {
		STUN *[]struct {
			URL string `json:"url"`
		} `json:"stunServers"`
		TURN []struct {
			URL      string `json:"url"`
			Username string `json:"username"`
			Password string `json:"password"`
		} `json:"turnServers"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.STUN == nil {
		return serverList{}, errNotAPI
	}
	var list serverList
	add := func(relay bool, s wire.ICEServer) {
		u, err := stun.ParseURI(s.URLs[0])
		isRelay := err == nil && (u.Scheme == stun.SchemeTypeTURN || u.Scheme == stun.SchemeTypeTURNS)
		switch {
		case err != nil, isRelay != relay, relay && (s.Username == "" || s.Credential == ""):
			list.bad++
		case len(list.ICEServers) < maxServers:
			list.ICEServers = append(list.ICEServers, s)
		}
	}
	for _, s := range *answer.STUN {
		add(false, wire.ICEServer{URLs: []string{strings.TrimSpace(s.URL)}})
	}
	for _, s := range answer.TURN {
		add(true, wire.ICEServer{URLs: []string{strings.TrimSpace(s.URL)}, Username: s.Username, Credential: s.Password})
	}
	return list, nil
}

// forPeer returns the list as the WebRTC library takes it.
func (l serverList) forPeer() []webrtc.ICEServer {
	var all []webrtc.ICEServer
	for _, s := range l.ICEServers {
		one := webrtc.ICEServer{URLs: s.URLs}
		if s.Username != "" {
			one.Username, one.Credential = s.Username, s.Credential
		}
		all = append(all, one)
	}
	return all
}

// servers asks for the STUN and TURN servers of the session.
func servers(ctx context.Context, v *visit.Visit, s session) (serverList, visit.Outcome) {
	at := v.At(pathServers)
	at.RawQuery = url.Values{"sessionToken": {s.token}}.Encode()
	a, err := v.Get(ctx, at, nil)
	switch {
	case err != nil:
		return serverList{}, visit.Fault(visit.FaultOf(err))
	case a.Status != http.StatusOK:
		return serverList{}, visit.StatusFault(a.Status)
	}
	list, err := parseServers(a.Body)
	if err != nil {
		return serverList{}, visit.Fault("not_api")
	}
	return list, visit.OK()
}

// tryRelays asks each relay for the permission for the media server.
func tryRelays(ctx context.Context, v *visit.Visit, list serverList, media netip.Addr) ([]report.TURNRelay, visit.Outcome) {
	relays := nat.Permissions(ctx, v.Env, nat.TURNConfig{RootCAs: v.RootCAs, Proxy: v.Proxy()}, list.ICEConfig, media)
	return relays, judgeRelays(relays, list)
}

// judgeRelays: one relay that works is enough; an entry that nobody can use is noted.
func judgeRelays(relays []report.TURNRelay, list serverList) visit.Outcome {
	works := func(r report.TURNRelay) bool {
		return r.Allocated != nil && *r.Allocated && (r.Permitted == nil || *r.Permitted)
	}
	switch {
	case slices.ContainsFunc(relays, works) && list.bad == 0:
		return visit.OK()
	case slices.ContainsFunc(relays, works):
		return visit.Outcome{Status: report.StatusWarn, Code: "bad_entry"}
	case !list.HasTURN() && list.bad > 0:
		return visit.Fault("bad_entry")
	case !list.HasTURN():
		return visit.Outcome{Status: report.StatusSkipped, Code: "no_relay"}
	case len(relays) == 0:
		return visit.Untested(visit.NoTime)
	}
	// What a server says goes before silence, which may be of the line.
	for _, fault := range []string{"denied", "auth_failed", "quota", "tls", "other"} {
		if slices.ContainsFunc(relays, func(r report.TURNRelay) bool { return r.Error == fault }) {
			return visit.Fault(fault)
		}
	}
	return visit.Fault("unreachable")
}

// mediaAddress returns the address that an SDP names for the media; the zero value where
// it names none that can be used. ICE-lite servers put theirs in candidates.
func mediaAddress(sdp string) netip.Addr {
	for line := range strings.Lines(sdp) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "a=candidate:") || len(fields) < 8 {
			continue
		}
		if at, err := netip.ParseAddr(fields[4]); err == nil && !at.IsUnspecified() {
			return at.Unmap()
		}
	}
	return netip.Addr{}
}
