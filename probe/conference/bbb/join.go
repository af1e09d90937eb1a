package bbb

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// session identifies this check in a meeting. Its tokens are secrets and must not occur
// in logs and reports.
type session struct {
	token string // of the session, valid for all addresses of the server
	auth  string // for joining over GraphQL; "" if the response does not contain it
}

// Codes for refusals of a server, as they occur in the report.
const (
	codeNoMeeting  = "meeting_not_found"
	codeEnded      = "meeting_ended"
	codeFull       = "meeting_full"
	codeSignature  = "bad_signature"
	codePassword   = "wrong_password"
	codeGuestWait  = "guest_waits"
	codeGuestDeny  = "guest_denied"
	codeRefused    = "join_refused"
	codeOtherHost  = "other_host"
	codeNoEcho     = "no_echo_room"
	codeOldVersion = "old_version"
	codeSession    = "session_expired"
	codeEjected    = "ejected"
	codeNoToken    = "no_livekit_token"
	codeBadAddress = "bad_livekit_address"
	// Participants may not use their microphones, or are muted when they join.
	codeLocked  = "microphone_locked"
	codeMuted   = "muted_by_server"
	codeOnStart = "mute_on_start"
)

// refusals contains the message keys of the API (docs.bigbluebutton.org/development/api,
// ApiController of bbb-web). A meeting whose creation time differs from that in the link
// is another meeting.
var refusals = map[string]string{
	"invalidMeetingIdentifier": codeNoMeeting,
	"notFound":                 codeNoMeeting,
	"meetingNotFound":          codeNoMeeting,
	"mismatchCreateTimeParam":  codeNoMeeting,
	"meetingForciblyEnded":     codeEnded,
	"meetingEnded":             codeEnded,
	"maxParticipantsReached":   codeFull,
	"checksumError":            codeSignature,
	"invalidPassword":          codePassword,
	"guestWait":                codeGuestWait,
	"guestDeny":                codeGuestDeny,
}

// refusedError is a join that the server refused, with its code.
type refusedError struct{ code string }

func (e *refusedError) Error() string { return "the server refuses the join link: " + e.code }

// joined is the response to a join link with redirect=false, in either format.
type joined struct {
	XMLName      xml.Name `json:"-" xml:"response"`
	ReturnCode   string   `json:"returncode" xml:"returncode"`
	MessageKey   string   `json:"messageKey" xml:"messageKey"`
	SessionToken string   `json:"session_token" xml:"session_token"`
	AuthToken    string   `json:"auth_token" xml:"auth_token"`
	GuestStatus  string   `json:"guestStatus" xml:"guestStatus"`
	URL          string   `json:"url" xml:"url"`
}

// A token of bbb-web is 12 to 16 letters and digits.
var token = regexp.MustCompile(`^[A-Za-z0-9_-]{4,128}$`)

// parseJoined parses the response to a join link. client is the address of the server's
// client; nil if unknown.
func parseJoined(body []byte) (s session, client *url.URL, err error) {
	var r joined
	if text := bytes.TrimSpace(body); bytes.HasPrefix(text, []byte("{")) {
		var outer struct {
			Response joined `json:"response"`
		}
		if json.Unmarshal(text, &outer) != nil {
			return session{}, nil, errNotAPI
		}
		r = outer.Response
	} else if xml.Unmarshal(text, &r) != nil {
		return session{}, nil, errNotAPI
	}
	known := refusals[r.MessageKey]
	switch {
	case r.ReturnCode == "FAILED" && known == "":
		return session{}, nil, &refusedError{codeRefused}
	case r.ReturnCode == "FAILED", known == codeGuestWait, known == codeGuestDeny:
		return session{}, nil, &refusedError{known}
	case r.ReturnCode != "SUCCESS":
		return session{}, nil, errNotAPI
	case r.GuestStatus == "WAIT":
		return session{}, nil, &refusedError{codeGuestWait}
	case r.GuestStatus == "DENY":
		return session{}, nil, &refusedError{codeGuestDeny}
	}
	s = session{token: strings.TrimSpace(r.SessionToken), auth: strings.TrimSpace(r.AuthToken)}
	if !token.MatchString(s.auth) {
		s.auth = ""
	}
	if !token.MatchString(s.token) {
		return session{}, nil, errNotAPI
	}
	if client, err = url.Parse(strings.TrimSpace(r.URL)); err != nil || client.Scheme != "https" || client.Host == "" {
		client = nil
	}
	return s, client, nil
}

// follow processes the response to the join link, which ask requests. A load balancer (Scalelite)
// redirects it to the server of the meeting: that host is then checked, and the step names it.
func follow(ctx context.Context, v *visit.Visit, ask func() (*visit.Answer, error)) (session, visit.Outcome) {
	good := visit.OK()
	elsewhere := func(to *url.URL) {
		v.URL, good.Code = &url.URL{Scheme: to.Scheme, Host: to.Host, Path: v.URL.Path}, codeOtherHost
	}
	at := v.JoinLink
	if at.Host != v.URL.Host {
		elsewhere(at)
	}
	a, err := ask()
	var away *visit.RedirectError
	if errors.As(err, &away) && away.To.Scheme == "https" && good.Code == "" {
		elsewhere(away.To)
		a, err = v.Get(ctx, away.To, nil)
	}
	s, client, o := admitted(a, err)
	if o.Status != report.StatusOK {
		return session{}, o
	}
	if client != nil && client.Host != v.URL.Host {
		elsewhere(client)
	}
	return s, good
}

// admitted returns the session that the response to a join link opens, and the address of the
// server's client; nil if unknown.
func admitted(a *visit.Answer, err error) (session, *url.URL, visit.Outcome) {
	switch {
	case err != nil:
		return session{}, nil, visit.Failed(err)
	case a.Status != http.StatusOK:
		return session{}, nil, visit.StatusFault(a.Status)
	}
	if s := a.URL.Query().Get("sessionToken"); token.MatchString(s) {
		return session{token: s}, nil, visit.OK() // a link without redirect=false leads to the client
	}
	s, client, err := parseJoined(a.Body)
	var refused *refusedError
	switch {
	case errors.As(err, &refused):
		return session{}, nil, visit.Fault(refused.code)
	case err != nil:
		return session{}, nil, visit.Fault("not_api")
	}
	return s, client, visit.OK()
}

// joinAgain joins with another participant, at the server that the first join has found. It does
// not change v, which other steps use at the same time.
func joinAgain(ctx context.Context, v *visit.Visit) (session, visit.Outcome) {
	a, err := v.Get(ctx, v.JoinLink, nil)
	s, client, o := admitted(a, err)
	switch {
	case o.Status != report.StatusOK:
		return session{}, o
	case client != nil && client.Host != v.URL.Host:
		return session{}, visit.Outcome{Status: report.StatusFail, Code: "redirected", Elsewhere: client.Hostname()}
	}
	return s, o
}

// bridges contains the names that clients and settings use for the audio bridges.
var bridges = map[string]string{
	"bbb-webrtc-sfu": bridgeSFU, "fullaudio": bridgeSFU,
	"freeswitch": bridgeSIP, "sipjs": bridgeSIP,
	"livekit": bridgeLiveKit,
}

const (
	bridgeSFU     = "bbb-webrtc-sfu"
	bridgeSIP     = "freeswitch"
	bridgeLiveKit = "livekit"
)

// meeting contains the constant properties of a meeting.
type meeting struct {
	bridge  string // "" if it is unknown
	room    string // number of its voice conference
	onStart bool   // participants are muted when they join
	liveKit string // address of LiveKit; "" for that of the server itself
	relayed string // report.Conference.RelayForced
}

// hasEcho reports whether the voice conference has an echo: the dial plan accepts 5 to
// 11 digits (bbb-voice-conference, bbb_echo_to_conference).
func (m meeting) hasEcho() bool { return m.room == "" || echoRoom.MatchString(m.room) }

var echoRoom = regexp.MustCompile(`^[0-9]{5,11}$`)

// parseMeeting parses meetingStaticData.
func parseMeeting(body []byte) (meeting, error) {
	var answer struct {
		Meeting []struct {
			AudioBridge   string `json:"audioBridge"`
			VoiceSettings struct {
				VoiceConf   string `json:"voiceConf"`
				MuteOnStart bool   `json:"muteOnStart"`
			} `json:"voiceSettings"`
			ClientSettings json.RawMessage `json:"clientSettings"`
		} `json:"meeting"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Meeting) == 0 {
		return meeting{}, errNotAPI
	}
	first := answer.Meeting[0]
	m := meeting{bridge: bridges[first.AudioBridge], room: first.VoiceSettings.VoiceConf, onStart: first.VoiceSettings.MuteOnStart}
	// Settings in another format belong to a version without this setting.
	var settings struct {
		JSON struct {
			Public struct {
				Media struct {
					LiveKit struct {
						URL string `json:"url"`
					} `json:"livekit"`
				} `json:"media"`
			} `json:"public"`
		} `json:"clientSettingsJson"`
	}
	if json.Unmarshal(first.ClientSettings, &settings) == nil {
		m.liveKit = settings.JSON.Public.Media.LiveKit.URL
	}
	m.relayed = relayForced(first.ClientSettings, m.bridge)
	return m, nil
}

// relayForced parses who has to use a relay, from the settings of the client. LiveKit has
// settings of its own (bigbluebutton-html5, private/config/settings.yml, public.media). Up to
// 2.7 the client has its settings from Meteor, which this check does not read.
func relayForced(settings json.RawMessage, bridge string) string {
	type relays struct {
		Force     bool `json:"forceRelay"`
		OnFirefox bool `json:"forceRelayOnFirefox"`
	}
	var parsed struct {
		JSON struct {
			Public struct {
				Media struct {
					relays
					LiveKit relays `json:"livekit"`
				} `json:"media"`
			} `json:"public"`
		} `json:"clientSettingsJson"`
	}
	if json.Unmarshal(settings, &parsed) != nil {
		return ""
	}
	set := parsed.JSON.Public.Media.relays
	if bridge == bridgeLiveKit {
		set = parsed.JSON.Public.Media.LiveKit
	}
	switch {
	case set.Force:
		return report.RelayForcedAll
	case set.OnFirefox:
		return report.RelayForcedFirefox
	}
	return ""
}

// describe requests the audio bridge of the meeting.
func describe(ctx context.Context, v *visit.Visit, s session) (meeting, visit.Outcome) {
	a, err := v.Get(ctx, v.At(pathMeeting), http.Header{"X-Session-Token": {s.token}})
	switch {
	case err != nil:
		return meeting{}, visit.Failed(err)
	case a.Status != http.StatusOK:
		return meeting{}, visit.StatusFault(a.Status)
	}
	m, err := parseMeeting(a.Body)
	if err != nil {
		return meeting{}, visit.Fault("not_api")
	}
	v.Data.Bridge, v.Data.RelayForced = m.bridge, m.relayed
	return m, visit.OK()
}

// earlyEntry is the sign-in, whose first request is sent together with that to the API.
type earlyEntry struct {
	step *visit.Early
	// about receives the response of the API; closed if there is none.
	about   chan About
	session session
	meeting meeting
}

func beginEntry(ctx context.Context, v *visit.Visit) *earlyEntry {
	e := &earlyEntry{about: make(chan About, 1)}
	e.step = v.BeginShared(ctx, report.StepSignIn, func(ctx context.Context) (o visit.Outcome) {
		// The link of another host is followed once the API has answered.
		ask := func() (*visit.Answer, error) { return v.Get(ctx, v.JoinLink, nil) }
		if v.JoinLink.Host == v.URL.Host {
			a, err := ask()
			ask = func() (*visit.Answer, error) { return a, err }
		}
		select {
		case about, ok := <-e.about:
			if !ok {
				return visit.Untested(visit.StepFailed)
			}
			e.session, e.meeting, o = enter(ctx, v, about, ask)
			return o
		case <-ctx.Done():
			return visit.Fault(visit.FaultOf(ctx.Err()))
		}
	})
	return e
}

// enter joins the meeting of the join link, and requests its properties.
func enter(ctx context.Context, v *visit.Visit, about About, ask func() (*visit.Answer, error)) (s session, m meeting, o visit.Outcome) {
	s, o = follow(ctx, v, ask)
	if o.Status != report.StatusOK || !about.GraphQL {
		return s, meeting{bridge: bridgeSFU}, o
	}
	m, described := describe(ctx, v, s)
	if described.Status != report.StatusOK {
		o = described
	}
	return s, m, o
}
