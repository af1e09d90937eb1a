package bbb

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// maxServers limits the servers in a list.
const maxServers = 8

// serverList is the response of /stuns.
type serverList struct{ relaytest.List }

// parseServers parses the response of /stuns.
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
			list.Bad++
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

// forPeer returns the servers in the format of the WebRTC library.
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

// servers requests the STUN and TURN servers of the session.
func servers(ctx context.Context, v *visit.Visit, s session) (serverList, visit.Outcome) {
	at := v.At(pathServers)
	at.RawQuery = url.Values{"sessionToken": {s.token}}.Encode()
	a, err := v.Get(ctx, at, nil)
	switch {
	case err != nil:
		return serverList{}, visit.Failed(err)
	case a.Status != http.StatusOK:
		return serverList{}, visit.StatusFault(a.Status)
	}
	list, err := parseServers(a.Body)
	if err != nil {
		return serverList{}, visit.Fault("not_api")
	}
	return list, visit.OK()
}
