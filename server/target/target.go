// Package target stores the conference systems that the participants use, with their
// secrets. A secret never leaves the collector; only tokens do, which expire within
// minutes and are valid for a test room.
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
	// ErrExists means that a target already has this name.
	ErrExists = errors.New("there is already a target with this name: remove it first, or choose another name")
	// ErrNotFound means that no target has this name.
	ErrNotFound = errors.New("there is no target with this name")
)

// InputError describes an invalid target and how to correct it.
type InputError struct{ Problem string }

func (e *InputError) Error() string { return e.Problem }

func input(format string, args ...any) error { return &InputError{fmt.Sprintf(format, args...)} }

// Target is one conference system.
type Target struct {
	// Name is the name that participants use; see [wire.IsTargetName].
	Name string `json:"name"`
	// System is one of [wire.TargetSystems].
	System string `json:"system"`
	URL    string `json:"url"`
	// Profile is the name of the limits for the diagnosis.
	Profile string `json:"profile"`
	// Secret and Hash sign requests to a BigBlueButton; Secret alone signs the tokens of
	// a WHIP endpoint. "" if unknown.
	Secret string `json:"secret,omitempty"`
	Hash   string `json:"hash,omitempty"`
	// APIKey and APISecret sign tokens for a LiveKit; "" if they are unknown.
	APIKey    string    `json:"api_key,omitempty"`
	APISecret string    `json:"api_secret,omitempty"`
	AddedAt   time.Time `json:"added_at"`
}

// HasSecret reports whether the collector knows a secret of the system.
func (t Target) HasSecret() bool { return t.Secret != "" || t.APISecret != "" }

// addresses contains the addresses of systems that have the same address for everybody.
func addresses() map[string]string {
	return map[string]string{"zoom": "https://zoom.us", "youtube": "rtmps://a.rtmps.youtube.com"}
}

// maxSecretBytes is the maximum length of a secret; those of LiveKit and BigBlueButton
// have about 50 bytes.
const maxSecretBytes = 512

// Normalize validates t with the shipped profiles; see NormalizeWith.
func (t Target) Normalize() (Target, error) { return t.NormalizeWith(diagnose.Profiles{}) }

// NormalizeWith validates t, sets the defaults of its system, and normalizes its address.
// The error is an *InputError or an *origin.Error.
func (t Target) NormalizeWith(profiles diagnose.Profiles) (Target, error) {
	t.Name = strings.TrimSpace(t.Name)
	if !wire.IsTargetName(t.Name) {
		return t, input("%.60q cannot be the name of a target: write up to 40 letters, digits, spaces, hyphens and underscores; 'zoom', 'youtube' and 'localhost' are reserved", t.Name)
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
	if _, err := profiles.Load(t.Profile); err != nil {
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
		return t, input("an API key requires its secret: give both --api-key and --api-secret-file")
	case t.Hash != "" && t.Secret == "":
		return t, input("--hash requires a secret: give --secret-file too")
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

// normalURL returns an address in the form that a check uses. User, query and fragment
// may contain the secret of a meeting, and no check needs them.
func normalURL(raw, system string) (string, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(raw), "://")
	text, ingest := raw, false
	if scheme = strings.ToLower(scheme); scheme == "rtmp" || scheme == "rtmps" {
		text, ingest = "https://"+rest, true // hosts and ports follow the rules of https
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
		u = &url.URL{Scheme: scheme, Host: u.Host} // the path may contain a stream key
	case scheme == "ws" || scheme == "wss":
		u.Scheme = scheme // Janus provides its API over both
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u.String(), nil
}
