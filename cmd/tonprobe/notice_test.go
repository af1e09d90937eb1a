package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/release"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// TestReleaseNotice: only an announcement that is signed with the program's own key, newer and not
// expired is shown, on one line.
func TestReleaseNotice(t *testing.T) {
	now := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	secret := ed25519.NewKeyFromSeed([]byte("a seed for tests of 32 bytes ..."))
	key := base64.StdEncoding.EncodeToString(secret.Public().(ed25519.PublicKey))
	signed := func(version, de string, expires time.Time) string {
		doc, err := json.Marshal(map[string]any{
			"format": release.Format, "version": version, "released_at": now.Add(-time.Hour), "expires_at": expires,
			"news": map[string]string{"de": de, "en": "Echo is detected."},
		})
		if err != nil {
			t.Fatal(err)
		}
		return release.Format + " " + base64.StdEncoding.EncodeToString(ed25519.Sign(secret, doc)) + "\n" + string(doc)
	}
	later := now.Add(24 * time.Hour)
	valid := signed("1.4.0", "Der Hall wird erkannt.", later)
	for name, c := range map[string]struct {
		lang                             phrase.Lang
		announcement, key, version, want string
	}{
		"German":         {phrase.DE, valid, key, "1.3.0", "Tonprobe 1.4.0 ist da: Der Hall wird erkannt. Bitten Sie Ihre Administration um die Aktualisierung."},
		"English":        {phrase.EN, valid, key, "1.3.0", "Tonprobe 1.4.0 is available: Echo is detected. Ask your administrator to update it."},
		"none":           {phrase.DE, "", key, "1.3.0", ""},
		"no key":         {phrase.DE, valid, "", "1.3.0", ""},
		"a broken key":   {phrase.DE, valid, "x", "1.3.0", ""},
		"another key":    {phrase.DE, valid, base64.StdEncoding.EncodeToString(make([]byte, 32)), "1.3.0", ""},
		"the same":       {phrase.DE, valid, key, "1.4.0", ""},
		"a downgrade":    {phrase.DE, valid, key, "1.5.0", ""},
		"own build":      {phrase.DE, valid, key, "dev", ""},
		"expired":        {phrase.DE, signed("1.4.0", "x", now), key, "1.3.0", ""},
		"too large":      {phrase.DE, signed("1.4.0", strings.Repeat("x", release.MaxBytes), later), key, "1.3.0", ""},
		"changed":        {phrase.DE, strings.Replace(valid, "Hall", "Halm", 1), key, "1.3.0", ""},
		"hostile layout": {phrase.DE, signed("1.4.0", "Neu.\n\x1b[31m\u202eGEHEIM", later), key, "1.3.0", "Tonprobe 1.4.0 ist da: Neu."},
	} {
		p := &program{lang: c.lang, version: c.version, releaseKey: c.key}
		var err error
		if p.texts, err = loadTexts(c.lang); err != nil {
			t.Fatal(err)
		}
		got := p.releaseNotice(c.announcement, now)
		if name == "hostile layout" {
			if !strings.HasPrefix(got, c.want) || strings.ContainsAny(got, "\n\x1b\u202e") {
				t.Errorf("%s: got %q, want one line without control characters", name, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
