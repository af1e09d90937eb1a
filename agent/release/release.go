// Package release reads the signed announcement of a new version, which the collector
// passes on from its administrator. It only shows what is new, and installs nothing.
package release

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Format is the first word of an announcement, and is repeated in its signed part, so that a
// signature for another purpose is not accepted. The announcement has two lines: the format
// and the Ed25519 signature (RFC 8032) in base64, then the signed JSON document.
const Format = "tonprobe-release-v1"

// MaxBytes limits an announcement.
const MaxBytes = wire.MaxReleaseBytes

// maxLifetime limits how long an announcement is shown, regardless of its own expiry.
const maxLifetime = 400 * 24 * time.Hour

// Errors of Parse.
var (
	ErrFormat    = errors.New("not an announcement of a version")
	ErrSignature = errors.New("the announcement of a version is not signed with the key of this program")
	ErrExpired   = errors.New("the announcement of a version has expired or is not valid yet")
)

// Release is a version and what is new in it.
type Release struct {
	Version string
	// News is one sentence by language, "de" and "en".
	News map[string]string
}

// document is the signed part.
type document struct {
	Format     string            `json:"format"`
	Version    string            `json:"version"`
	ReleasedAt time.Time         `json:"released_at"`
	ExpiresAt  time.Time         `json:"expires_at"`
	News       map[string]string `json:"news"`
}

// ParseKey parses a public key in base64.
func ParseKey(s string) (ed25519.PublicKey, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, errors.New("the key for announcements of versions is not an Ed25519 key in base64")
	}
	return b, nil
}

// Parse verifies an announcement and returns its content. Nothing in it is used before its
// signature was verified.
func Parse(announcement string, key ed25519.PublicKey, now time.Time) (Release, error) {
	if len(announcement) > MaxBytes {
		return Release{}, fmt.Errorf("%w: more than %d bytes", ErrFormat, MaxBytes)
	}
	head, signed, ok := strings.Cut(announcement, "\n")
	encoded, known := strings.CutPrefix(strings.TrimSuffix(head, "\r"), Format+" ")
	if !ok || !known {
		return Release{}, ErrFormat
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, []byte(signed), signature) {
		return Release{}, ErrSignature
	}
	var d document
	if err := json.Unmarshal([]byte(signed), &d); err != nil {
		return Release{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if _, ok := parseVersion(d.Version); d.Format != Format || !ok || d.News["de"] == "" || d.News["en"] == "" {
		return Release{}, fmt.Errorf("%w: a field is missing", ErrFormat)
	}
	// The clocks of participants differ by more than minutes.
	if now.Before(d.ReleasedAt.Add(-24*time.Hour)) || !now.Before(d.ExpiresAt) || now.Sub(d.ReleasedAt) > maxLifetime {
		return Release{}, ErrExpired
	}
	return Release{Version: d.Version, News: d.News}, nil
}

// version is a version without its label, and whether it has one (1.2.0-rc1).
type version struct {
	parts   [3]int
	labeled bool
}

var reVersion = regexp.MustCompile(`^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(-[0-9A-Za-z.-]{1,40})?(?:\+[0-9A-Za-z.-]{1,40})?$`)

func parseVersion(s string) (version, bool) {
	m := reVersion.FindStringSubmatch(s)
	if m == nil {
		return version{}, false
	}
	v := version{labeled: m[4] != ""}
	for i := range v.parts {
		v.parts[i], _ = strconv.Atoi(m[i+1]) // at most six digits
	}
	return v, true
}

// Newer reports whether r is newer than the version current. It returns false if either
// is not a release version, such as "dev", or if r is a release candidate.
func (r Release) Newer(current string) bool {
	theirs, ok := parseVersion(r.Version)
	ours, known := parseVersion(current)
	if !ok || !known || theirs.labeled {
		return false
	}
	for i := range theirs.parts {
		if theirs.parts[i] != ours.parts[i] {
			return theirs.parts[i] > ours.parts[i]
		}
	}
	return ours.labeled
}
