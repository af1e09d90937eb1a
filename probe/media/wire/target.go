package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// PathTargets is the path of the collector's list of conference systems, relative
// to its base.
const PathTargets = "api/v1/targets"

// ParamJoin is the query parameter with the name of the target for which a join
// link is requested.
const ParamJoin = "join"

// Limits of a list of targets.
const (
	MaxTargets            = 100
	MaxTargetsBytes       = 512 << 10
	maxTargetFieldBytes   = 512
	maxTargetSecretsBytes = 4096
	MaxSessions           = 20
	maxProfiles           = 16
	maxProfileBytes       = 8 << 10
	MaxReleaseBytes       = 4096
)

// ErrTargets means that a list of targets cannot be used.
var ErrTargets = errors.New("invalid list of targets")

// Targets is the JSON response of GET /api/v1/targets.
type Targets struct {
	Targets []Target `json:"targets"`
	// Profiles are the profiles of these targets that the collector does not share with
	// all versions of the agent.
	Profiles []Profile `json:"profiles,omitempty"`
	// Release is the signed announcement of a new version of the agent, which only the
	// agent can verify; "" if there is none.
	Release string `json:"release,omitempty"`
	// Sessions are the next sessions of the caller, in the order of their starts. Cancelled
	// ones are not included.
	Sessions []Session `json:"sessions,omitempty"`
}

// Profile is a set of limits of a town.
type Profile struct {
	Name string `json:"name"`
	// TOML is its file (see docs/administrator.md, "A town's own limits").
	TOML string `json:"toml"`
}

// Target is a conference system that the collector's participants use.
type Target struct {
	// Name is the name for `tonprobe check --target NAME`; see [IsTargetName].
	Name string `json:"name"`
	// System is one of [TargetSystems].
	System string `json:"system"`
	// URL is its address.
	URL string `json:"url"`
	// Profile is the name of the limits for the diagnosis.
	Profile string `json:"profile"`
	// Room is a test room; nil if the collector has no key of the system.
	Room *Room `json:"room,omitempty"`
	// JoinLink is a link for one viewer to a test meeting of a BigBlueButton, which
	// ends within minutes; "" if it was not requested, or the collector could not
	// create the meeting.
	JoinLink string `json:"join_link,omitempty"`
	// Token authorises one check at a WHIP endpoint (RFC 9725 §4.7) and expires within
	// minutes; "" if the collector does not have the secret of the endpoint.
	Token string `json:"token,omitempty"`
}

// Room is a test room of a LiveKit server, which exists for one check. Its two
// access tokens are the only credentials that leave the collector: they expire
// within minutes and are valid for no other room.
type Room struct {
	Name string `json:"name"`
	// Publish permits sending only, Subscribe receiving only.
	Publish   string `json:"publish_token"`
	Subscribe string `json:"subscribe_token"`
}

// TargetSystems returns the systems that a target can have.
func TargetSystems() []string { return []string{"bbb", "livekit", "janus", "whip", "zoom", "youtube"} }

var reTargetName = regexp.MustCompile(`^[\pL\pN](?:[\pL\pN _-]{0,38}[\pL\pN])?$`)

// IsTargetName reports whether s can be the name of a target: up to 40 letters,
// digits, spaces, hyphens and underscores. No such name is an address. The agent's
// shortcuts (zoom, youtube) and localhost are not names of targets.
func IsTargetName(s string) bool {
	return reTargetName.MatchString(s) && !slices.Contains([]string{"zoom", "youtube", "localhost"}, strings.ToLower(s))
}

// ParseTargets parses and validates the JSON. Every error is an [ErrTargets].
func ParseTargets(b []byte) (*Targets, error) {
	if len(b) > MaxTargetsBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrTargets, len(b), MaxTargetsBytes)
	}
	var t Targets
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTargets, err)
	}
	if len(t.Targets) > MaxTargets {
		return nil, fmt.Errorf("%w: %d targets, at most %d allowed", ErrTargets, len(t.Targets), MaxTargets)
	}
	if len(t.Release) > MaxReleaseBytes {
		t.Release = "" // the targets are more important
	}
	if len(t.Profiles) > maxProfiles {
		return nil, fmt.Errorf("%w: %d profiles, at most %d allowed", ErrTargets, len(t.Profiles), maxProfiles)
	}
	if len(t.Sessions) > MaxSessions {
		return nil, fmt.Errorf("%w: %d sessions, at most %d allowed", ErrTargets, len(t.Sessions), MaxSessions)
	}
	for i, s := range t.Sessions {
		if err := s.validate(); err != nil {
			return nil, fmt.Errorf("%w: session %d: %w", ErrTargets, i, err)
		}
	}
	for i, p := range t.Profiles {
		if p.Name == "" || len(p.Name) > maxTargetFieldBytes || len(p.TOML) > maxProfileBytes {
			return nil, fmt.Errorf("%w: profile %d: no name, or a field is too long", ErrTargets, i)
		}
	}
	for i, target := range t.Targets {
		if err := target.validate(); err != nil {
			return nil, fmt.Errorf("%w: target %d: %w", ErrTargets, i, err)
		}
	}
	return &t, nil
}

func (t Target) validate() error {
	switch {
	case !IsTargetName(t.Name):
		return errors.New("invalid name")
	case !slices.Contains(TargetSystems(), t.System):
		return errors.New("unknown system")
	case t.URL == "" || len(t.URL) > maxTargetFieldBytes || len(t.Profile) > maxTargetFieldBytes:
		return errors.New("no address, or a field is too long")
	case t.Room != nil && (t.Room.Publish == "" || t.Room.Subscribe == "" || len(t.Room.Name) > maxTargetFieldBytes ||
		len(t.Room.Publish) > maxTargetSecretsBytes || len(t.Room.Subscribe) > maxTargetSecretsBytes):
		return errors.New("the room cannot be used")
	case t.Token != "" && (t.System != "whip" || len(t.Token) > maxTargetSecretsBytes || strings.ContainsFunc(t.Token, func(r rune) bool { return r <= ' ' || r > '~' })):
		return errors.New("the token cannot be used") // the error would quote it
	case t.JoinLink == "":
		return nil
	}
	u, err := url.Parse(t.JoinLink)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || t.System != "bbb" || len(t.JoinLink) > maxTargetSecretsBytes {
		return errors.New("the join link cannot be used") // the error would quote it
	}
	return nil
}

// Find returns the target with a name, ignoring case, and whether there is one.
func (t Targets) Find(name string) (Target, bool) {
	i := slices.IndexFunc(t.Targets, func(t Target) bool { return strings.EqualFold(t.Name, name) })
	if i < 0 {
		return Target{}, false
	}
	return t.Targets[i], true
}

// Profile returns the file of a profile, and whether the list contains it.
func (t Targets) Profile(name string) (toml string, ok bool) {
	i := slices.IndexFunc(t.Profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return "", false
	}
	return t.Profiles[i].TOML, true
}

// Names returns the names of all targets.
func (t Targets) Names() []string {
	names := make([]string, len(t.Targets))
	for i, target := range t.Targets {
		names[i] = target.Name
	}
	return names
}
