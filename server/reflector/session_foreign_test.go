package reflector

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
)

// TestOfferTwice: an agent whose first answer was lost repeats its offer. Each answer
// is a separate session, and the one in use works beside the other.
func TestOfferTwice(t *testing.T) {
	r := start(t)
	c := newClient(t)
	text := c.offer(t)
	first, unused, err := r.Offer(t.Context(), "anna", text)
	if err != nil {
		t.Fatal(err)
	}
	second, answer, err := r.Offer(t.Context(), "anna", text)
	if err != nil || first == second || unused == answer {
		t.Fatalf("got %s and %s, error %v; want different sessions and answers", first, second, err)
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	wait(t, c.up)
	c.send(t, 0, wire.DefaultBytes)
	wait(t, c.down)
	if log, err := r.End("anna", first); err != nil || log.UpUnique != 0 {
		t.Errorf("the unused one: got %+v, error %v; want UpUnique 0", log, err)
	}
	if log, err := r.End("anna", second); err != nil || log.UpUnique != 1 {
		t.Errorf("the used one: got %+v, error %v; want UpUnique 1", log, err)
	}
}

// TestForgedEnd: only its owner can end a session, even if others know its id, and the
// stream continues.
func TestForgedEnd(t *testing.T) {
	r := start(t)
	c := newClient(t)
	id := c.connect(t, r, "anna")
	c.send(t, 0, wire.DefaultBytes)
	wait(t, c.down)
	for _, forged := range []struct{ owner, id string }{{"bert", id}, {"", id}, {"anna", ""}, {"anna", id + "x"}, {"ANNA", id}} {
		if log, err := r.End(forged.owner, forged.id); !errors.Is(err, ErrNoSession) || log.UpUnique != 0 {
			t.Errorf("%q, %q: got %+v, error %v; want UpUnique 0, %v", forged.owner, forged.id, log, err, ErrNoSession)
		}
	}
	c.send(t, 1, wire.DefaultBytes)
	if d := wait(t, c.down); d.UpSeq != 1 {
		t.Errorf("got %+v, want packet 1", d)
	}
	if log, err := r.End("anna", id); err != nil || log.UpUnique != 2 {
		t.Errorf("got %+v, error %v; want UpUnique 2", log, err)
	}
}

// TestLateClientGetsNoAnswer: there is no response for an ended session, although the
// password was right. The sockets keep the order, so the first response must be that to
// the active session.
func TestLateClientGetsNoAnswer(t *testing.T) {
	r := start(t)
	over, live := sessionAt(t, r), sessionAt(t, r)
	if _, err := r.End(over.owner, over.id); err != nil {
		t.Fatal(err)
	}
	until(t, "the session has ended", func() bool { return r.Stats().SessionsOpen == 1 })
	c := udpSocket(t)
	late, right := checkFor(over.ufrag+":"+over.offer.ufrag, over.pwd), checkFor(live.ufrag+":"+live.offer.ufrag, live.pwd)
	for _, m := range []*stun.Message{late, right} {
		if _, err := c.WriteToUDPAddrPort(m.Raw, r.MediaAddr()); err != nil {
			t.Fatal(err)
		}
	}
	if m, _ := listen(t, c); m.TransactionID != right.TransactionID {
		t.Error("an ended session responded")
	}
}

// TestMediaFromAnotherAddress: packets from an address that was not verified are
// neither echoed nor counted, and cause no response; the stream keeps its path.
func TestMediaFromAnotherAddress(t *testing.T) {
	r := start(t)
	c := newClient(t)
	id := c.connect(t, r, "anna")
	s := r.session(id)
	stranger := udpSocket(t)
	up, _ := wire.AppendUp(nil, wire.Up{Seq: 5}, wire.DefaultBytes)
	packet := append([]byte{128, wire.PayloadType, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1}, up...)
	hello := bytes.Repeat([]byte{22, 254, 253, 0}, 16) // DTLS
	right := checkFor(s.ufrag+":"+s.offer.ufrag, s.pwd)
	for _, b := range [][]byte{packet, hello, right.Raw} {
		if _, err := stranger.WriteToUDPAddrPort(b, r.MediaAddr()); err != nil {
			t.Fatal(err)
		}
	}
	if m, _ := listen(t, stranger); m.TransactionID != right.TransactionID {
		t.Error("unexpected first response")
	}
	// Even a second address with the password takes the stream over only by nomination,
	// and its packets count only with the keys.
	if _, err := stranger.WriteToUDPAddrPort(packet, r.MediaAddr()); err != nil {
		t.Fatal(err)
	}
	c.send(t, 0, wire.DefaultBytes)
	if d := wait(t, c.down); d.UpSeq != 0 {
		t.Errorf("got %+v, want packet 0", d)
	}
	if log, err := r.End("anna", id); err != nil || log.UpUnique != 1 {
		t.Errorf("got %+v, error %v; want UpUnique 1", log, err)
	}
}

// session returns the session with this id.
func (r *Reflector) session(id string) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[id]
}

// FuzzUDPDoor sends datagrams through all of the media port: checks, DTLS and RTP, from
// an unknown address and from a verified one. None may stop the port or open a path for
// an unknown address.
func FuzzUDPDoor(f *testing.F) {
	r := start(f, func(c *Config) {
		c.Limits.MaxDuration, c.Limits.ConnectTimeout, c.Limits.IdleTimeout = time.Hour, time.Hour, time.Hour
	})
	s := sessionAt(f, r)
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close() })
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = sink.Close() })
	known, stranger := sink.LocalAddr().(*net.UDPAddr).AddrPort(), netip.MustParseAddrPort("127.0.0.1:9")
	door := newUDPDoor(r.media, conn, time.Now)
	right := checkFor(s.ufrag+":"+s.offer.ufrag, s.pwd)
	arrive := func(b []byte, from netip.AddrPort) {
		door.arrive(arrival.Packet{Data: b, From: from, At: time.Now()}, door.out.scratch(0))
		door.out.flush()
	}
	arrive(right.Raw, known)
	if door.paths[known] == nil {
		f.Fatal("the valid check opened no path")
	}
	random := make([]byte, 200)
	_, _ = rand.Read(random)
	up, _ := wire.AppendUp(nil, wire.Up{Seq: 5}, wire.DefaultBytes)
	f.Add(right.Raw[:len(right.Raw)-1])
	f.Add(checkFor("a:b", "c").Raw)
	f.Add(append([]byte{128, wire.PayloadType, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1}, up...))
	f.Add(append([]byte{22, 254, 253}, random...))
	f.Add(binary.BigEndian.AppendUint16([]byte{128, 200}, 1)) // RTCP
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.Equal(b, right.Raw) {
			return
		}
		arrive(bytes.Clone(b), stranger)
		if door.paths[stranger] != nil {
			t.Error("got a path for an unknown address")
		}
		arrive(bytes.Clone(b), known)
		if p := door.paths[known]; p == nil || p.session != s {
			t.Error("the path of the verified address was lost")
		}
	})
}
