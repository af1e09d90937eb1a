package report

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
)

func TestErrorTextRemovesNames(t *testing.T) {
	dns := &net.DNSError{Err: "no such host", Name: "annas-fritzbox", Server: "192.168.178.1:53", IsNotFound: true}
	dial := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IP{192, 0, 2, 7}, Port: 443}, Err: errors.New("connection refused")}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nothing":     {nil, ""},
		"plain":       {errors.New("no capture device"), "no capture device"},
		"single name": {fmt.Errorf("look up: %w", &net.OpError{Op: "dial", Net: "tcp", Err: dns}), "look up: dial tcp: lookup (host) on (address): no such host"},
		"refused":     {dial, "dial tcp (address): connection refused"},
		"url":         {&url.Error{Op: "Get", URL: "https://bbb.example.org/b/ann-a1b", Err: dial}, `Get "(address)": dial tcp (address): connection refused`},
		"path":        {&fs.PathError{Op: "open", Path: "/srv/anna müller/spool", Err: fs.ErrPermission}, "open (path): permission denied"},
		"joined":      {errors.Join(errors.New("first"), &fs.PathError{Op: "stat", Path: "anna", Err: fs.ErrNotExist}), "first stat (path): file does not exist"},
	} {
		if got := ErrorText(c.err); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"i/o timeout after 1.5 s":                            "i/o timeout after 1.5 s",
		"answer 401: no token":                               "answer 401: no token",
		"audio server 17.0 gone":                             "audio server 17.0 gone",
		"at 12:30 it broke":                                  "at 12:30 it broke",
		"lookup bbb.example.org on 127.0.0.53:53: timeout":   "lookup (host) on (address): timeout",
		"host müller-büro.köln.de gone":                      "host (host) gone",
		"host xn--mller-kva.example gone":                    "host (host) gone",
		"from [2001:db8::1]:443 and fe80::1%wlp3s0":          "from (address) and (address)",
		"MAC AA:BB:CC:dd:ee:ff seen":                         "MAC (address) seen",
		"wrote to anna.mueller@stadt.example":                "wrote to (address)",
		`open C:\Users\Anna Maria\App Data\x.wav: not found`: "open (path): not found",
		`open \\server\share\anna x: gone`:                   "open (path): gone",
		"open /home/anna/My Files/a.wav: denied":             "open (path): denied",
		"open ~/secret file: denied":                         "open (path): denied",
		"read /var/lib/tonprobe/spool/x.json":                "read (path)",
		"HTTPS://Anna:pw@Example.org/x?y done":               "(address) done",
		"two\nlines\x00 and \u202eevil":                      "two lines  and  evil",
		"broken \xff\xfe UTF-8":                              "broken  UTF-8",
	} {
		if got := CleanText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add("dial tcp 192.0.2.1:443: lookup a.example: no such host")
	f.Add(strings.Repeat("ä/", 4000))
	f.Fuzz(func(t *testing.T, s string) {
		got := CleanText(s)
		f := Field{MaxBytes: maxErrorText, optional: true}
		if problem := f.textProblem(got); problem != "" {
			t.Errorf("%q: %s", got, problem)
		}
	})
}

func TestNewCase(t *testing.T) {
	code, err := NewCase(bytes.NewReader([]byte{0, 1, 31, 32, 255, 18}))
	if err != nil || code != "01Z-0ZJ" {
		t.Errorf("got %q, error %v; want 01Z-0ZJ", code, err)
	}
	if again, ok := NormalizeCase(code); !ok || again != code || !patternCase.MatchString(code) {
		t.Errorf("the normal form of %q is %q, ok %t, want the same", code, again, ok)
	}
	if _, err := NewCase(iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Error("NewCase succeeded without random bits")
	}
}

func TestNormalizeCase(t *testing.T) {
	for in, want := range map[string]string{
		"K7P-3QX": "K7P-3QX", "k7p3qx": "K7P-3QX", " k7p – 3qx\n": "K7P-3QX", "K.7.P.3.Q.X": "K7P-3QX",
		"k7p‑3qx": "K7P-3QX", "oil-001": "011-001", "K7P\u00a03QX": "K7P-3QX", "K7P/3QX": "K7P-3QX",
		"": "", "K7P-3Q": "", "K7P-3QXX": "", "U7P-3QX": "", "K7P-3Q<": "", "ſ7P-3QX": "", "K７P-3QX": "",
		strings.Repeat("-", 100) + "K7P-3QX": "",
	} {
		got, ok := NormalizeCase(in)
		if got != want || ok != (want != "") {
			t.Errorf("%.20q: got %q, ok %t; want %q", in, got, ok, want)
		}
	}
}

func FuzzNormalizeCase(f *testing.F) {
	f.Add("k7p 3qx")
	f.Fuzz(func(t *testing.T, s string) {
		if code, ok := NormalizeCase(s); ok && !patternCase.MatchString(code) {
			t.Errorf("%q: got %q, want a case code", s, code)
		}
	})
}

func TestNewID(t *testing.T) {
	at := time.UnixMilli(0x017F22E279B0) // the example of RFC 9562 appendix A.6
	random := []byte{0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F}
	id, err := NewID(at, bytes.NewReader(random))
	if err != nil || id != "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" {
		t.Errorf("got %s, error %v; want %s", id, err, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
	}
	if u, err := uuid.Parse(id); err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 {
		t.Errorf("got %v, error %v; want Version 7, Variant %v", u, err, uuid.RFC4122)
	}
	later, _ := NewID(at.Add(time.Millisecond), bytes.NewReader(make([]byte, 10)))
	if later <= id {
		t.Errorf("%s is not after %s", later, id)
	}
	if old, err := NewID(time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC), bytes.NewReader(random)); err != nil || !patternUUIDv7.MatchString(old) {
		t.Errorf("clock before 1970: got %q, error %v, want a UUIDv7", old, err)
	}
	if _, err := NewID(at, iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Error("NewID succeeded without random bits")
	}
}
