package wire

import (
	"strings"
	"testing"
)

const pin = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"

func TestInvitationsRoundTrip(t *testing.T) {
	for _, c := range []struct{ origin, pin, want string }{
		{"https://tonprobe.example.org", "", "tonprobe://enroll?tonprobe.example.org/K2MV-H5MN-00DY"},
		{"https://tonprobe.example.org:443", "", "tonprobe://enroll?tonprobe.example.org/K2MV-H5MN-00DY"},
		{"https://tonprobe.example.org:8443", pin, "tonprobe://enroll?tonprobe.example.org:8443/K2MV-H5MN-00DY/" + pin},
		{"https://[2001:db8::1]:8443", pin, "tonprobe://enroll?[2001:db8::1]:8443/K2MV-H5MN-00DY/" + pin},
	} {
		i, ok := InvitationFor(c.origin, "K2MV-H5MN-00DY", c.pin)
		if !ok || i.String() != c.want {
			t.Errorf("%s: got %s, ok %v; want %s", c.origin, i, ok, c.want)
		}
		got, err := ParseInvitation(i.String())
		if err != nil || got != i || got.Origin() != strings.TrimSuffix(c.origin, ":443") {
			t.Errorf("%s: parsed as %+v, error %v, want %+v", c.origin, got, err, i)
		}
		if got, err := ParseInvitation(i.Page()); err != nil || got != i {
			t.Errorf("ParseInvitation(%q) = %+v, %v; want %+v", i.Page(), got, err, i)
		}
	}
	for _, origin := range []string{"", "http://127.0.0.1:8080", "https://", "::"} {
		if i, ok := InvitationFor(origin, "x", ""); ok {
			t.Errorf("%q: got %s, want no invitation", origin, i)
		}
	}
}

func TestPastedInvitations(t *testing.T) {
	want := Invitation{Host: "tonprobe.example.org:8443", Code: "K2MV-H5MN-00DY", AuthorityPin: pin}
	link := want.String()
	for name, s := range map[string]string{
		"quotes":           `"` + link + `"`,
		"German quotes":    "\u201e" + link + "\u201c",
		"angle brackets":   "<" + link + ">",
		"end of sentence":  link + ".",
		"spaces around":    "  " + link + "\r\n",
		"wrapped in mail":  link[:40] + "\r\n " + link[40:],
		"upper case":       strings.Replace(link, "tonprobe://", "TONPROBE://", 1),
		"host upper case":  strings.Replace(link, "example.org", "Example.ORG", 1),
		"a browser's":      strings.Replace(link, "enroll?", "enroll/?", 1),
		"slash at the end": link + "/",
		"no slashes":       strings.Replace(link, "://", ":", 1),
		"page":             want.Page(),
		"page, wrapped":    "<" + want.Page()[:45] + "\r\n" + want.Page()[45:] + ">",
		"page, upper case": "HTTPS://Tonprobe.Example.ORG:8443/setup/#K2MV-H5MN-00DY/" + pin,
		"page, escaped":    strings.ReplaceAll(want.Page(), "DY/", "DY%2F"),
		"escaped":          strings.ReplaceAll(link, "/K2", "%2FK2"),
	} {
		if got, err := ParseInvitation(s); err != nil || got != want {
			t.Errorf("%s: %q: got %+v, error %v; want %+v", name, s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "K2MV-H5MN-00DY", "https://tonprobe.example.org", "tonprobe:", "tonprobe://", "tonprobe://enroll", "tonprobe://enroll?",
		"tonprobe://enroll?host", "tonprobe://enroll?host/", "tonprobe://enroll?/CODE", "tonprobe://erase?host/CODE",
		"tonprobe://enroll?host/CODE/short", "tonprobe://enroll?host/CODE/" + pin + "/more", "tonprobe://enroll?user@host/CODE",
		"https://host/setup", "https://host/setup#", "https:///setup#CODE", "https://host/other#CODE", "https://user@host/setup#CODE",
		"http://host/setup#CODE", "https://host/setup#CODE/short", "https://host/setup?x#CODE", "https://host/setup#CODE#x",
		"tonprobe://enroll?host/CODE#x", "tonprobe://enroll?host/CODE?x", "tonprobe://enroll?" + strings.Repeat("h", 2000) + "/CODE",
	} {
		if got, err := ParseInvitation(s); err == nil {
			t.Errorf("%.60q was parsed as %+v, want an error", s, got)
		}
	}
}

func FuzzParseInvitation(f *testing.F) {
	f.Add("tonprobe://enroll?tonprobe.example.org:8443/K2MV-H5MN-00DY/" + pin)
	f.Add("tonprobe://enroll?%2f%2f")
	f.Add("https://tonprobe.example.org:8443/setup#K2MV-H5MN-00DY/" + pin)
	f.Fuzz(func(t *testing.T, s string) {
		i, err := ParseInvitation(s)
		if err != nil {
			return
		}
		again, err := ParseInvitation(i.String())
		if err != nil || again.Host != i.Host || again.Code != i.Code || again.AuthorityPin != i.AuthorityPin {
			t.Errorf("%q -> %+v -> %+v, error %v", s, i, again, err)
		}
	})
}
