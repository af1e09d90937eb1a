// Package target keeps the conference systems that the participants use, with the secrets
// of their interfaces. What leaves the collector of a secret is a token that expires within
// minutes and opens a test room only.
package target

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

var (
	// ErrExists says that a target has this name already.
	ErrExists = errors.New("there is a target with this name already: remove it first, or take another name")
	// ErrNotFound says that no target has this name.
	ErrNotFound = errors.New("there is no target with this name")
)

// InputError is a target that cannot be used, and what to do about it.
type InputError struct{ Problem string }

func (e *InputError) Error() string { return e.Problem }

func input(format string, args ...any) error { return &InputError{fmt.Sprintf(format, args...)} }

// Target is one conference system.
type Target struct {
	// Name is what participants call it; see [wire.IsTargetName].
	Name string `json:"name"`
	// System is one of [wire.TargetSystems].
	System string `json:"system"`
	URL    string `json:"url"`
	// Profile names the limits to judge by.
	Profile string `json:"profile"`
	// Secret and Hash sign requests to a BigBlueButton, Secret alone the tokens of a WHIP
	// endpoint; "" where it is not known.
	Secret string `json:"secret,omitempty"`
	Hash   string `json:"hash,omitempty"`
	// APIKey and APISecret sign the tokens of a LiveKit; "" where they are not known.
	APIKey    string    `json:"api_key,omitempty"`
	APISecret string    `json:"api_secret,omitempty"`
	AddedAt   time.Time `json:"added_at"`
}

// HasSecret reports whether the collector knows a secret of the system.
func (t Target) HasSecret() bool { return t.Secret != "" || t.APISecret != "" }

// addresses are those of systems that have one for everybody.
func addresses() map[string]string {
	return map[string]string{"zoom": "https://zoom.us", "youtube": "rtmps://a.rtmps.youtube.com"}
}

// maxSecretBytes bounds a secret; LiveKit's and BigBlueButton's take about 50.
const maxSecretBytes = 512

// Normalize checks t, fills in what its system has by default, and writes its address in
// its one form. The error is an *InputError or an *origin.Error.
func (t Target) Normalize() (Target, error) {
	t.Name = strings.TrimSpace(t.Name)
	if !wire.IsTargetName(t.Name) {
		return t, input("%.60q cannot be the name of a target: write up to 40 letters, digits, spaces, hyphens and underscores; 'zoom', 'youtube' and 'localhost' are taken", t.Name)
	}
	if !slices.Contains(wire.TargetSystems(), t.System) {
		return t, input("there is no system %.40q: --system is one of %s", t.System, strings.Join(wire.TargetSystems(), ", "))
	}
	if t.URL == "" {
		t.URL = addresses()[t.System]
	}
	if t.URL == "" {
		return t, input("the address is missing: --url https://%s.example.org", t.System)
	}
	var err error
	if t.URL, err = normalURL(t.URL, t.System); err != nil {
		return t, err
	}
	if t.Profile == "" {
		t.Profile = diagnose.DefaultProfile
		if t.System == "zoom" {
			t.Profile = "zoom"
		}
	}
	if _, err := diagnose.LoadProfile(t.Profile); err != nil {
		return t, input("%s", err)
	}
	return t.normalSecrets()
}

func (t Target) normalSecrets() (Target, error) {
	switch {
	case t.System != "bbb" && t.System != "whip" && t.Secret != "":
		return t, input("--secret-file is for --system bbb and whip")
	case t.System != "bbb" && t.Hash != "":
		return t, input("--hash is for --system bbb")
	case t.System != "livekit" && (t.APIKey != "" || t.APISecret != ""):
		return t, input("--api-key and --api-secret-file are for --system livekit")
	case (t.APIKey == "") != (t.APISecret == ""):
		return t, input("an API key and its secret go together: give --api-key and --api-secret-file")
	case t.Hash != "" && t.Secret == "":
		return t, input("--hash says how requests are signed with the secret: give --secret-file too")
	case t.Hash != "" && hashes()[t.Hash] == nil:
		return t, input("there is no hash %.40q: --hash is one of %s", t.Hash, strings.Join(hashNames(), ", "))
	}
	for _, s := range []string{t.Secret, t.APIKey, t.APISecret} {
		if len(s) > maxSecretBytes || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return t, input("a key or a secret is one line of at most %d ASCII characters without spaces: is it the right file?", maxSecretBytes)
		}
	}
	if t.System == "bbb" && t.Secret != "" && t.Hash == "" {
		t.Hash = defaultHash
	}
	return t, nil
}

// normalURL writes an address as a check uses it. User, query and fragment may hold the
// secret of a meeting, and no check needs them.
func normalURL(raw, system string) (string, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(raw), "://")
	text, ingest := raw, false
	if scheme = strings.ToLower(scheme); scheme == "rtmp" || scheme == "rtmps" {
		text, ingest = "https://"+rest, true // the rules for hosts and ports are those of https
	}
	u, err := origin.ParseSecure(text)
	switch {
	case err != nil:
		return "", err
	case ingest != (system == "youtube"):
		return "", input("an address of --system %s begins with %s", system, map[bool]string{true: "rtmps:// (or rtmp://)", false: "https://"}[system == "youtube"])
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", &origin.Error{Address: origin.Of(u), Fault: origin.FaultTooMuch}
	case ingest:
		u = &url.URL{Scheme: scheme, Host: u.Host} // the path may end in a stream key
	case scheme == "ws" || scheme == "wss":
		u.Scheme = scheme // Janus has its interface over both
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u.String(), nil
}
