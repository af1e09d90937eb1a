package origin

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

func TestParse(t *testing.T) {
	for raw, want := range map[string]string{
		"https://bbb.example.org":                "https://bbb.example.org",
		"https://bücher.example":                 "https://xn--bcher-kva.example",
		"https://BÜCHER.Example":                 "https://xn--bcher-kva.example",
		"bücher.example":                         "https://xn--bcher-kva.example",
		"bu\u0308cher.example":                   "https://xn--bcher-kva.example", // u and a combining diaeresis
		"https://b%C3%BCcher.example/raum":       "https://xn--bcher-kva.example",
		"https://xn--bcher-kva.example":          "https://xn--bcher-kva.example",
		"straße.example":                         "https://xn--strae-oqa.example", // IDNA 2008 keeps ß
		"https://münchen。example":                "https://xn--mnchen-3ya.example",
		"https://bücher.example/b/räum-1?pw=ü":   "https://xn--bcher-kva.example",
		"bbb.example.org/b/abc-def-ghi":          "https://bbb.example.org",
		"bbb.example.org:8443/b":                 "https://bbb.example.org:8443",
		"//bbb.example.org/b":                    "https://bbb.example.org",
		"HTTPS://BBB.Example.ORG":                "https://bbb.example.org",
		"\u00a0 https://bbb.example.org\t\r\n ":  "https://bbb.example.org",
		"\ufeffhttps://bbb.example.org\u200b":    "https://bbb.example.org",
		"<https://bbb.example.org/x>":            "https://bbb.example.org",
		"(https://bbb.example.org),":             "https://bbb.example.org",
		"Der Link:\nhttps://bbb.example.org/b/a": "https://bbb.example.org",
		"https://bbb.example.org/b/a\r\n-b":      "https://bbb.example.org",
		"<URL:https://bbb.example.org/b/a>":      "https://bbb.example.org",
		"„https://bbb.example.org“":              "https://bbb.example.org",
		`https:\\bbb.example.org\b`:              "https://bbb.example.org",
		"https://bbb.example.org.":               "https://bbb.example.org",
		"https://bbb.example.org.:8443":          "https://bbb.example.org:8443",
		"https://bbb.example.org:443":            "https://bbb.example.org",
		"https://bbb.example.org:0443":           "https://bbb.example.org",
		"https://bbb.example.org:":               "https://bbb.example.org",
		"http://bbb.example.org:443":             "http://bbb.example.org:443",
		"http://bbb.example.org:80":              "http://bbb.example.org",
		"https://bbb.example.org:65535":          "https://bbb.example.org:65535",
		"https://bbb.example.org:1":              "https://bbb.example.org:1",
		"wss://live.example.org/rtc?t=secret":    "https://live.example.org",
		"ws://localhost:7880":                    "http://localhost:7880",
		"https://user:geheim@bbb.example.org":    "https://bbb.example.org",
		"https://my_host.example.org":            "https://my_host.example.org",
		"https://r3---sn-4g5e6nz7.example.org":   "https://r3---sn-4g5e6nz7.example.org",
		"https://192.0.2.1:8443/b":               "https://192.0.2.1:8443",
		"https://１９２.０.２.１":                      "https://192.0.2.1",
		"https://[2001:DB8::1]:8443/b":           "https://[2001:db8::1]:8443",
		"https://[2001:db8:0:0::1]":              "https://[2001:db8::1]",
		"https://[::ffff:192.0.2.1]":             "https://192.0.2.1",
		"2001:db8::1":                            "https://[2001:db8::1]",
		"[2001:db8::1]:8443":                     "https://[2001:db8::1]:8443",
		"https://[fe80::1%25eth0]:8443":          "https://[fe80::1]:8443",
		"https://meet":                           "https://meet",
		"meet:8443":                              "https://meet:8443",
		"localhost/x":                            "https://localhost",
		"bücher。example":                         "https://xn--bcher-kva.example",
		"localhost:8443":                         "https://localhost:8443",
	} {
		u, err := Parse(raw)
		if err != nil {
			t.Errorf("%q: got error %v, want none", raw, err)
			continue
		}
		if got := Of(u); got != want {
			t.Errorf("%q: got %s, want %s", raw, got, want)
		}
	}
}

// TestParseKeepsTheRest: a collector may have a path.
func TestParseKeepsTheRest(t *testing.T) {
	u, err := Parse("https://u:p@BÜCHER.example:443/ton/?a=b#c")
	if err != nil || u.String() != "https://u:p@xn--bcher-kva.example/ton/?a=b#c" {
		t.Errorf("got %v, error %v; want %q", u, err, "https://u:p@xn--bcher-kva.example/ton/?a=b#c")
	}
	if u, err := Parse("https://[fe80::1%25eth0]/"); err != nil || u.Hostname() != "fe80::1%eth0" {
		t.Errorf("got %v, error %v, but the zone is needed to connect", u, err)
	}
}

func TestFaults(t *testing.T) {
	for raw, want := range map[string]Fault{
		"":                                                FaultForm,
		"   ":                                             FaultForm,
		"https://":                                        FaultForm,
		"https:///b/abc":                                  FaultForm,
		"https://:8443":                                   FaultForm,
		"https://bbb. example.org":                        FaultForm,
		"https://[2001:db8::1":                            FaultForm,
		"stadt@example.org":                               FaultForm,
		"collector":                                       FaultForm,
		"the council":                                     FaultForm,
		"mailto:stadt@example.org":                        FaultForm,
		"://bbb.example.org":                              FaultForm,
		"ftp://bbb.example.org":                           FaultScheme,
		"zoommtg://example.org/join?pwd=1":                FaultScheme,
		"https://bbb.example.org:65536":                   FaultPort,
		"https://bbb.example.org:99999/b":                 FaultPort,
		"https://bbb.example.org:0":                       FaultPort,
		"https://bbb.example.org:-1":                      FaultPort,
		"https://bbb.example.org:abc":                     FaultPort,
		"https://[2001:db8::1]:70000":                     FaultPort,
		"bbb.example.org:18446744073709551":               FaultPort,
		"https://bbb..example.org":                        FaultHost,
		"https://.example.org":                            FaultHost,
		"https://bbb.example.org..":                       FaultHost,
		"https://-bbb.example.org":                        FaultHost,
		"https://bbb.example.org\nabc":                    FaultForm,
		"https://bbb,example.org":                         FaultHost,
		"https://192.0.2":                                 FaultHost,
		"https://192.0.2.256":                             FaultHost,
		"https://1.2.3.4.5":                               FaultHost,
		"https://" + strings.Repeat("a", 64) + ".example": FaultHost,
		"https://" + strings.Repeat("abcdefg.", 32) + "org": FaultHost,
		"https://\u0628a.example":                           FaultHost, // both directions in a label
	} {
		_, err := Parse(raw)
		if e, ok := errors.AsType[*Error](err); !ok || e.Fault != want {
			t.Errorf("%q: got error %v, want %s", raw, err, want)
		}
	}
}

// TestErrorsHoldNoSecret: errors are displayed and logged.
func TestErrorsHoldNoSecret(t *testing.T) {
	for _, raw := range []string{
		"https://bbb.example.org:99999/b/geheim?t=geheim", "ftp://geheim:geheim@bbb.example.org/geheim",
		"bbb.example.org:0/geheim", "https://a b/geheim#geheim", "geheim@example.org/geheim",
	} {
		if _, err := Parse(raw); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: got error %v, want one without the secret", raw, err)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for raw, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://127.9.9.9": true, "http://[::1]": true, "http://LOCALHOST.": true,
		"http://192.0.2.1": false, "http://localhost.example.org": false, "http://0.0.0.0": false,
	} {
		u, err := Parse(raw)
		if err != nil || IsLoopback(u) != want {
			t.Errorf("%s: got error %v, want allowed: %t", raw, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"https://bücher.example:8443/b?x#y", "bbb.example.org", "[::1]:99999", "2001:db8::1%eth0", "https://u:p@h", "wss://a.b/c",
		"https://１.２.３.４", "https://xn--a.example", "https://faß。example", "\\\\h\\p", "http://a:80", "https://a%2eb", "\u200b//x", "1e1", "0x7f.1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := Parse(raw)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("%q: got error %v, want an *Error", raw, err)
			}
			return
		}
		kept := Of(u)
		if strings.ContainsAny(kept, " \\@?#%") || !isASCII(kept) || kept != strings.ToLower(kept) {
			t.Fatalf("%q: got %q, want lower-case ASCII without user, path and query", raw, kept)
		}
		again, err := Parse(kept)
		if err != nil || Of(again) != kept || again.String() != kept {
			t.Fatalf("%q: got %q, parsed again %v, error %v, want the same", raw, kept, again, err)
		}
		if _, err := url.Parse(u.String()); err != nil {
			t.Fatalf("%q: %q is not a URL: %v", raw, u, err)
		}
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			if _, err := idna.Punycode.ToASCII(u.Hostname()); err != nil || strings.HasSuffix(u.Hostname(), ".") {
				t.Fatalf("%q: %q cannot be looked up: %v", raw, u.Hostname(), err)
			}
		}
	})
}
