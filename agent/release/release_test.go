package release

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

var (
	now    = time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	secret = ed25519.NewKeyFromSeed([]byte("a seed for tests of 32 bytes ..."))
	public = secret.Public().(ed25519.PublicKey)
)

// fields returns a valid document, with changes; nil removes a field.
func fields(changes map[string]any) map[string]any {
	all := map[string]any{
		"format": Format, "version": "1.4.0", "released_at": now.Add(-time.Hour), "expires_at": now.Add(30 * 24 * time.Hour),
		"news": map[string]string{"de": "Der Hall wird erkannt.", "en": "Echo is detected."},
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

func sign(t testing.TB, all map[string]any, key ed25519.PrivateKey) string {
	t.Helper()
	doc, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return Format + " " + base64.StdEncoding.EncodeToString(ed25519.Sign(key, doc)) + "\n" + string(doc)
}

func TestParse(t *testing.T) {
	valid := sign(t, fields(nil), secret)
	r, err := Parse(valid, public, now)
	if err != nil || r.Version != "1.4.0" || r.News["de"] != "Der Hall wird erkannt." {
		t.Fatalf("got %+v, %v, want version 1.4.0", r, err)
	}
	other := ed25519.NewKeyFromSeed([]byte("another seed for tests, 32 bytes"))
	head, body, _ := strings.Cut(valid, "\n")
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":                {"", ErrFormat},
		"unsigned":             {body, ErrFormat},
		"without a signature":  {Format + " \n" + body, ErrSignature},
		"signed by another":    {sign(t, fields(nil), other), ErrSignature},
		"another document":     {head + "\n" + strings.Replace(body, "1.4.0", "9.4.0", 1), ErrSignature},
		"one byte more":        {valid + " ", ErrSignature},
		"another format":       {strings.Replace(valid, Format, "tonprobe-release-v2", 1), ErrFormat},
		"for another purpose":  {sign(t, fields(map[string]any{"format": "minutes"}), secret), ErrFormat},
		"expired":              {sign(t, fields(map[string]any{"expires_at": now}), secret), ErrExpired},
		"without an expiry":    {sign(t, fields(map[string]any{"expires_at": nil}), secret), ErrExpired},
		"years old":            {sign(t, fields(map[string]any{"released_at": now.AddDate(-2, 0, 0)}), secret), ErrExpired},
		"of the future":        {sign(t, fields(map[string]any{"released_at": now.AddDate(0, 0, 3)}), secret), ErrExpired},
		"no version":           {sign(t, fields(map[string]any{"version": "latest"}), secret), ErrFormat},
		"no news in German":    {sign(t, fields(map[string]any{"news": map[string]string{"en": "x"}}), secret), ErrFormat},
		"too large":            {sign(t, fields(map[string]any{"x": strings.Repeat("x", MaxBytes)}), secret), ErrFormat},
		"a list":               {Format + " " + base64.StdEncoding.EncodeToString(ed25519.Sign(secret, []byte("[]"))) + "\n[]", ErrFormat},
		"twice the same":       {valid + "\n" + valid, ErrSignature},
		"signature cut":        {head[:len(head)-8] + "\n" + body, ErrSignature},
		"signature of garbage": {Format + " !!!!\n" + body, ErrSignature},
	} {
		if r, err := Parse(c.text, public, now); !errors.Is(err, c.want) || r.Version != "" {
			t.Errorf("%s: got %+v, %v, want %v", name, r, err, c.want)
		}
	}
	if _, err := Parse(valid, nil, now); !errors.Is(err, ErrSignature) {
		t.Errorf("without a key: got %v, want %v", err, ErrSignature)
	}
	if _, err := Parse(valid, public, now.AddDate(30, 0, 0)); !errors.Is(err, ErrExpired) {
		t.Errorf("a clock of 2056: got %v, want %v", err, ErrExpired)
	}
}

// TestFlippedBitsAreDetected: no change of a byte is accepted.
func TestFlippedBitsAreDetected(t *testing.T) {
	valid := sign(t, fields(nil), secret)
	for i := range valid {
		changed := []byte(valid)
		changed[i] ^= 1
		if r, err := Parse(string(changed), public, now); err == nil {
			t.Errorf("byte %d: got %+v, want an error", i, r)
		}
	}
}

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		offered, current string
		want             bool
	}{
		{"1.4.0", "1.3.9", true}, {"1.4.0", "1.4.0", false}, {"1.4.0", "1.4.1", false}, {"1.4.0", "2.0.0", false},
		{"1.10.0", "1.9.0", true}, {"1.4.0", "dev", false}, {"1.4.0", "", false}, {"1.4.0", "1.4.0-rc1", true},
		{"1.4.0-rc1", "1.3.0", false}, {"v1.4.0", "v1.3.0", true}, {"1.4.0", "1.4.0+local", false},
	} {
		if got := (Release{Version: c.offered}).Newer(c.current); got != c.want {
			t.Errorf("%s over %s: got %v, want %v", c.offered, c.current, got, c.want)
		}
	}
}

func TestParseKey(t *testing.T) {
	if k, err := ParseKey(base64.StdEncoding.EncodeToString(public) + "\n"); err != nil || !k.Equal(public) {
		t.Errorf("got %v, error %v; want %v", k, err, public)
	}
	for _, bad := range []string{"", "abc", base64.StdEncoding.EncodeToString(public[:31]), "untrusted comment: x"} {
		if k, err := ParseKey(bad); err == nil {
			t.Errorf("%q: got %v, want an error", bad, k)
		}
	}
}

// TestSignedByTheScript signs as a release does.
func TestSignedByTheScript(t *testing.T) {
	need.Programs(t, "openssl", "jq", "sh")
	key := filepath.Join(t.TempDir(), "key.pem")
	if out, err := exec.CommandContext(t.Context(), "openssl", "genpkey", "-algorithm", "ed25519", "-out", key).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v: %s", err, out)
	}
	script := "../../.ci/sign-release"
	announcement, err := exec.CommandContext(t.Context(), "sh", script, key, "v1.4.0", `Der "Hall" wird erkannt.`, "Echo is detected.").Output()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := exec.CommandContext(t.Context(), "sh", script, key).Output()
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseKey(string(encoded))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse(string(announcement), k, time.Now())
	if err != nil || r.Version != "1.4.0" || r.News["de"] != `Der "Hall" wird erkannt.` {
		t.Errorf("got %+v, %v, want version 1.4.0", r, err)
	}
	if os.Getenv("TONPROBE_TEST_ALL") != "" {
		t.Logf("announcement:\n%s", announcement)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sign(f, fields(nil), secret), false)
	f.Add(`{"format":"tonprobe-release-v1","version":"1.4.0"}`, true)
	f.Add("", true)
	f.Fuzz(func(t *testing.T, text string, signed bool) {
		if signed { // by the right key, to reach what follows the signature
			text = Format + " " + base64.StdEncoding.EncodeToString(ed25519.Sign(secret, []byte(text))) + "\n" + text
		}
		r, err := Parse(text, public, now)
		if (err == nil) != (r.Version != "") || len(text) > MaxBytes && err == nil {
			t.Errorf("%q: got %+v, error %v; want a version or an error, and an error above MaxBytes", text, r, err)
		}
	})
}
