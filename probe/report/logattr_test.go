package report

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestLogAttr(t *testing.T) {
	for in, want := range map[string]string{
		"dial udp 203.0.113.77:3478: timeout":                         "dial udp 203.0.113.0/24:3478: timeout",
		"read udp4 192.168.178.20:5->198.51.100.7:":                   "read udp4 192.168.178.0/24:5->198.51.100.0/24:",
		"[2001:db8:1:2::3]:443 refused":                               "2001:db8:1::/48:443 refused",
		"from fe80::1%eth0 now":                                       "from fe80::/48 now",
		"::ffff:203.0.113.77 asked":                                   "203.0.113.0/24 asked",
		"udp4 host 203.0.113.77:5 (resolved: 203.0.113.77:5)":         "udp4 host 203.0.113.0/24:5 (resolved: 203.0.113.0/24:5)",
		"a=candidate:1 1 udp 1 10.8.0.6 5 typ host raddr 2001:db8::1": "a=candidate:1 1 udp 1 10.8.0.0/24 5 typ host raddr 2001:db8::/48",
		"203.0.113.77/32":                                             "203.0.113.0/24",
		"2001:db8::1/128":                                             "2001:db8::/48",
		"203.0.113.0/24":                                              "203.0.113.0/24",
		"127.0.0.1:8443, [::1]:1, 0.0.0.0:3478, [::]:3478":            "127.0.0.1:8443, [::1]:1, 0.0.0.0:3478, [::]:3478",
		"at 12:30:45.678, 1.5 ms, version 1.2.3, K7P-3QX":             "at 12:30:45.678, 1.5 ms, version 1.2.3, K7P-3QX",
		"no address": "no address",
	} {
		if got := LogAttr(nil, slog.String("k", in)).Value.String(); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestLogAttrCutsSecrets(t *testing.T) {
	for in, want := range map[string]string{
		`isControlling? true, remoteUfrag: "Gr05enLST6dk", remotePwd: "gEN6JOAgo/R7"`: `isControlling? true, remoteUfrag: (secret), remotePwd: (secret)`,
		"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n":                    "a=ice-ufrag:(secret)\r\na=ice-pwd:(secret)\r\n",
		"GET /x?sessionToken=abc123&y=1":                                              "GET /x?sessionToken=(secret)&y=1",
		"Authorization: Bearer abc.def-123":                                           "Authorization: (secret)",
		"sent bearer abcdefgh12345":                                                   "sent bearer (secret)",
		`{"credential":"s3cr3t","username":"1700000000:x"}`:                           `{"credential":(secret),"username":"1700000000:x"}`,
		"join?meetingID=1&checksum=1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17":          "join?meetingID=1&checksum=(secret)",
		"Set-Cookie: JSESSIONID=0123ABC; Path=/":                                      "Set-Cookie: (secret); Path=/",
		"code SKF4-4QAV-ZK5Z used":                                                    "code (secret) used",
		"tonprobe://enroll?127.0.0.1:8443/SKF4-4QAV-ZK5Z/21K":                         "tonprobe://(secret)",
		"key eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.sig":                                "key (secret)",
		"agent 21KsDreXeXHLL0Wlm1dpSpp6PjqaYZLI5CbrCmB4hqU":                           "agent (secret)",
		"report 01a225a6-9b31-7aae-9ca5-c0903cd12bcd kept":                            "report 01a225a6-9b31-7aae-9ca5-c0903cd12bcd kept",
		"case K7P-3QX of 3 tokens":                                                    "case K7P-3QX of 3 tokens",
		"the token is not known":                                                      "the token is not known",
		"this_name_is_long_and_holds_no_secret_whatsoever":                            "this_name_is_long_and_holds_no_secret_whatsoever",
	} {
		if got := LogAttr(nil, slog.String("k", in)).Value.String(); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for _, key := range []string{"token", "password", "Authorization", "api_key", "session_token", "ice-pwd"} {
		if got := LogAttr(nil, slog.String(key, "x")).Value.String(); got != "(secret)" {
			t.Errorf("got %s=%s, want (secret)", key, got)
		}
	}
}

// TestLogHoldsNoAddress: the record contains every kind of value, the message, and the
// attributes of the logger.
func TestLogHoldsNoAddress(t *testing.T) {
	const secret = "203.0.113.77"
	addr := netip.MustParseAddr(secret)
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler {
			return slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: LogAttr})
		},
		"json": func(b *bytes.Buffer) slog.Handler {
			return slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: LogAttr})
		},
	} {
		var b bytes.Buffer
		log := slog.New(handler(&b)).With("who", addr).WithGroup("g").With("inside", secret)
		log.Debug("from "+secret,
			"addr", addr, "list", []netip.Addr{addr}, "port", netip.AddrPortFrom(addr, 5), "net", &net.UDPAddr{IP: net.ParseIP(secret), Port: 5},
			"ip", net.ParseIP(secret), "err", errors.New("dial "+secret+":5"), "op", &net.OpError{Op: "dial", Net: "udp", Addr: &net.UDPAddr{IP: net.ParseIP(secret)}, Err: errors.New("x")},
			slog.Group("deeper", "text", secret), "n", 5)
		if got := b.String(); strings.Contains(got, secret) || strings.Count(got, "203.0.113.0/24") != 11 {
			t.Errorf("%s: got %d networks, want 11 and no address: %s", name, strings.Count(got, "203.0.113.0/24"), got)
		}
	}
}
