package reflector

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// sessionAt opens a session and returns it.
func sessionAt(t testing.TB, r *Reflector) *session {
	t.Helper()
	id, _, err := r.Offer(t.Context(), "anna", newClient(t).offer(t))
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[id]
}

// checkFor returns a connectivity check with the session's credentials, or others.
func checkFor(user, password string, more ...stun.Setter) *stun.Message {
	setters := append([]stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(user)}, more...)
	return stun.MustBuild(append(setters, stun.NewShortTermIntegrity(password), stun.Fingerprint)...)
}

// TestStrangersGetNoAnswer: without the password there is no response, so that a forged
// address causes no packets. The sockets keep the order, so the first response must be
// that to the last check, which is valid.
func TestStrangersGetNoAnswer(t *testing.T) {
	r := start(t)
	s := sessionAt(t, r)
	user := s.ufrag + ":" + s.offer.ufrag
	right := checkFor(user, s.pwd)
	spoilt := append([]byte(nil), right.Raw...)
	spoilt[len(spoilt)-1] ^= 1
	c := udpSocket(t)
	for _, b := range [][]byte{
		stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw,
		checkFor(user, "guess").Raw,
		checkFor("nobody:"+s.offer.ufrag, s.pwd).Raw,
		checkFor(s.ufrag+":somebody", s.pwd).Raw,
		spoilt,
		{22, 254, 253, 0, 0}, {128, 111, 0, 1}, {}, {0},
		right.Raw,
	} {
		if _, err := c.WriteToUDPAddrPort(b, r.MediaAddr()); err != nil {
			t.Fatal(err)
		}
	}
	m, _ := listen(t, c)
	var mapped stun.XORMappedAddress
	if m.TransactionID != right.TransactionID || m.Type != stun.BindingSuccess || mapped.GetFrom(m) != nil ||
		mapped.Port != c.LocalAddr().(*net.UDPAddr).Port || stun.NewShortTermIntegrity(s.pwd).Check(m) != nil {
		t.Errorf("got %v, mapped %v, want a signed success response with the client's port", m, mapped)
	}
}

// TestControlledClientGetsRoleConflict: RFC 8445 §7.3.1.1.
func TestControlledClientGetsRoleConflict(t *testing.T) {
	r := start(t)
	s := sessionAt(t, r)
	c := udpSocket(t)
	m := checkFor(s.ufrag+":"+s.offer.ufrag, s.pwd, stun.RawAttribute{Type: stun.AttrICEControlled, Value: make([]byte, 8)})
	if _, err := c.WriteToUDPAddrPort(m.Raw, r.MediaAddr()); err != nil {
		t.Fatal(err)
	}
	answer, _ := listen(t, c)
	var code stun.ErrorCodeAttribute
	if code.GetFrom(answer) != nil || code.Code != stun.CodeRoleConflict {
		t.Errorf("got %v, want %v", answer, stun.CodeRoleConflict)
	}
}

// TestTCPNeedsThePassword: a connection that begins with anything else is closed.
func TestTCPNeedsThePassword(t *testing.T) {
	r := start(t)
	s := sessionAt(t, r)
	user := s.ufrag + ":" + s.offer.ufrag
	frame := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
	for name, b := range map[string][]byte{
		"HTTP": []byte("GET / HTTP/1.1\r\n\r\n"), "wrong password": frame(checkFor(user, "guess").Raw),
		"media first": frame(make([]byte, 100)), "too long": {0xff, 0xff, 0}, "empty frame": {0, 0},
	} {
		conn := dialMedia(t, r)
		_, _ = conn.Write(b)
		if n, err := conn.Read(make([]byte, 100)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: got %d bytes, error %v; want the connection closed by the reflector", name, n, err)
		}
	}
	conn := dialMedia(t, r)
	right := checkFor(user, s.pwd)
	if _, err := conn.Write(frame(right.Raw)); err != nil {
		t.Fatal(err)
	}
	b, err := readFrame(bufio.NewReader(conn), make([]byte, frameBytes))
	if err != nil {
		t.Fatal(err)
	}
	m := stun.Message{Raw: b}
	if m.Decode() != nil || m.TransactionID != right.TransactionID || m.Type != stun.BindingSuccess {
		t.Errorf("got %v, want a success response", m)
	}
	s.stop()
	if _, err := conn.Read(b); !errors.Is(err, io.EOF) {
		t.Errorf("the connection of an ended session is still open: %v", err)
	}
}

func dialMedia(t *testing.T, r *Reflector) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.MediaAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

func FuzzCheck(f *testing.F) {
	r := start(f)
	s := sessionAt(f, r)
	f.Add(checkFor(s.ufrag+":"+s.offer.ufrag, s.pwd).Raw)
	f.Add(checkFor("a:b", "c").Raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, ok := r.media.readCheck(b, netip.MustParseAddrPort("127.0.0.1:9")); ok && c.session != s {
			t.Error("the check matched another session")
		}
	})
}
