package web

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// sources are the program files of this package.
func sources(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	return all
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Erika Beispiel":            "Erika Beispiel",
		"  a \t\n b ":               "a b",
		"a\u202eb":                  "ab",
		"a\u0000\u001b[1mb":         "a [1mb",
		"e\u0301\u0302\u0303\u0304": "e\u0301\u0302",
		"\u200b":                    "",
		"نی\u200cز":                 "نی\u200cز",
		"👩\u200d🔬":                  "👩\u200d🔬",
		"\xffx":                     "\uFFFDx",
		"0123456789ABC":             "0123456789…",
		strings.Repeat("x", 1<<24):  "xxxxxxxxxx…",
	} {
		if got := clean(in, 10); got != want && len(want) < 11 || strings.HasSuffix(want, "…") && got != want {
			t.Errorf("clean(%.30q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("Erika\u202e", 10)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = max(1, min(most&0xff, 200))
		got := clean(s, most)
		if n := len([]rune(got)); strings.ContainsAny(got, "\n\r\t\x00\u202e\u2028") || n > most*16+1 || got != strings.TrimSpace(got) {
			t.Errorf("clean(%q, %d) = %q, %d characters, want at most %d without control characters and outer spaces", s, most, got, n, most*16+1)
		}
	})
}

func TestDialled(t *testing.T) {
	for in, want := range map[string]string{
		"0228 5550101": "02285550101", "+49 (0)228 555-01 01": "+492285550101", "+49 228/555": "+49228555", "(0228) 555": "0228555",
		"": "", "keine": "", "+": "", "1": "", "javascript:alert(12)": "12", "0228+49": "022849", "tel:110": "110",
	} {
		if got := telNumber(in); got != want {
			t.Errorf("telNumber(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPreferredLanguage(t *testing.T) {
	for accept, want := range map[string]phrase.Lang{
		"": phrase.EN, "de": phrase.DE, "de-AT,en;q=0.8": phrase.DE, "fr,de;q=0.5,en;q=0.4": phrase.DE, "en;q=0.5, de;q=0.9": phrase.DE,
		"en-US,en;q=0.9,de;q=0.8": phrase.EN, "tlh": phrase.EN, "de;q=0": phrase.EN, "de;q=x": phrase.EN, strings.Repeat("x,", 9000) + "de": phrase.EN,
	} {
		if got := preferred(accept); got != want {
			t.Errorf("preferred(%.40q) = %s, want %s", accept, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	v := view{Book: loadedBooks(t)[phrase.DE], lang: phrase.DE}
	for d, want := range map[time.Duration]string{
		-time.Hour: "gerade eben", 59 * time.Second: "gerade eben", time.Minute: "vor 1 Minute", 59*time.Minute + 59*time.Second: "vor 59 Minuten",
		time.Hour: "vor 1 Stunde", 23 * time.Hour: "vor 23 Stunden", 24 * time.Hour: "vor 1 Tag", 400 * 24 * time.Hour: "vor 400 Tagen",
	} {
		if got := v.ago(d); got != want {
			t.Errorf("ago(%s) = %q, want %q", d, got, want)
		}
	}
}

// TestContrast checks the colours against WCAG 2.1 §1.4.3 (text 4.5:1) and §1.4.11
// (edges of input fields, and shapes: 3:1), in both schemes.
func TestContrast(t *testing.T) {
	style, err := staticFiles.ReadFile("static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, found := strings.Cut(string(style), "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("there is no dark scheme")
	}
	dark, _, _ = strings.Cut(dark, "\n}\n")
	for name, scheme := range map[string]string{"light": light, "dark": dark} {
		colour := colours(scheme)
		check := func(text, ground string, least float64) {
			t.Helper()
			if got := contrast(t, colour[text], colour[ground]); got < least {
				t.Errorf("%s: %s on %s: got %.2f:1, want %.1f:1", name, text, ground, got, least)
			}
		}
		for _, text := range []string{"ink", "soft", "accent", "good", "warn", "bad", "mute"} {
			for _, ground := range []string{"paper", "card", "wash", "mute-wash"} {
				check(text, ground, 4.5)
			}
		}
		check("good", "good-wash", 4.5)
		check("warn", "warn-wash", 4.5)
		check("bad", "bad-wash", 4.5)
		check("ink", "bad-wash", 4.5)
		check("on-accent", "accent", 4.5)
		check("edge", "card", 3)
		check("edge", "paper", 3)
		for _, shape := range []string{"good", "warn", "bad", "mute"} {
			check("on-shape", shape, 3)
		}
	}
}

var reColour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

func colours(scheme string) map[string]string {
	all := map[string]string{}
	for _, m := range reColour.FindAllStringSubmatch(scheme, -1) {
		all[m[1]] = m[2]
	}
	return all
}

// contrast returns the contrast ratio of WCAG 2.1.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(t *testing.T, hex string) (l float64) {
	t.Helper()
	if len(hex) != 6 {
		t.Fatalf("%q is not a colour", hex)
	}
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}
