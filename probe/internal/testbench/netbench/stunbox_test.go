package netbench

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// bindingAnswer returns a response with MAPPED-ADDRESS and XOR-MAPPED-ADDRESS (RFC
// 8489 §14).
func bindingAnswer(from, to, mapped netip.AddrPort) packet {
	m := make([]byte, stunHeaderBytes, 64)
	binary.BigEndian.PutUint16(m, 0x0101)
	binary.BigEndian.PutUint32(m[4:], stunMagicCookie)
	copy(m[8:], "transaction!")
	addr := mapped.Addr().As4()
	plain := binary.BigEndian.AppendUint16([]byte{0, 1, 0, 8, 0, 1}, mapped.Port())
	m = append(append(m, plain...), addr[:]...)
	xor := binary.BigEndian.AppendUint16([]byte{0, 0x20, 0, 8, 0, 1}, mapped.Port()^0x2112)
	cookie := binary.BigEndian.AppendUint32(nil, stunMagicCookie)
	for i := range addr {
		xor = append(xor, addr[i]^cookie[i])
	}
	m = append(m, xor...)
	binary.BigEndian.PutUint16(m[2:], uint16(len(m)-stunHeaderBytes))
	p := udp(from, to, len(m))
	copy(p.payload()[8:], m)
	p.sumUDP()
	return p
}

func TestALGRewritesWhatIsReadable(t *testing.T) {
	l := newLab(t, Scenario{NAT: NATSpec{ALG: true}})
	seen := l.out(5000, a1)
	got := l.give(atServer, bindingAnswer(a1, seen, seen), atHome)
	if len(got) != 1 {
		t.Fatal("got no response")
	}
	m := got[0].stun()
	if inner := home(5000).Addr().As4(); [4]byte(m[28:32]) != inner || binary.BigEndian.Uint16(m[26:]) != 5000 {
		t.Errorf("got MAPPED-ADDRESS % x, want the inner address", m[20:32])
	}
	want := bindingAnswer(a1, home(5000), seen).stun()
	if string(m[32:]) != string(want[32:]) {
		t.Errorf("XOR-MAPPED-ADDRESS changed to % x", m[32:])
	}
}

func TestBadSTUNServers(t *testing.T) {
	for answers, copies := range map[string]int{"": 1, "none": 0, "twice": 2, "nonsense": 1, "wrong_id": 1, "other_address": 1, "late": 0} {
		l := newLab(t, Scenario{NAT: NATSpec{Filtering: "EIF"}, STUN: STUNSpec{Answers: answers}})
		seen := l.out(5000, a1)
		sent := bindingAnswer(a1, seen, seen)
		got := l.give(atServer, append(packet(nil), sent...), atHome)
		if len(got) != copies {
			t.Errorf("%q: got %d responses at once, want %d", answers, len(got), copies)
			continue
		}
		if answers == "late" {
			l.pass(4 * time.Second)
			if got = l.got[atHome]; len(got) != 1 {
				t.Error("the late response does not arrive")
			}
			continue
		}
		for _, p := range got {
			same := string(p.payload()[8:]) == string(sent.payload()[8:])
			if same != (answers == "" || answers == "twice" || answers == "other_address") || (p.src() == a1) != (answers != "other_address") {
				t.Errorf("%q: got %x from %v", answers, p.payload()[8:], p.src())
			}
		}
		if got := l.give(atServer, udp(server(3480), seen, 30), atHome); len(got) != 1 {
			t.Errorf("%q: other ports are affected", answers)
		}
	}
}

func FuzzALG(f *testing.F) {
	f.Add([]byte(bindingAnswer(a1, home(5000), home(1))))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parse(b)
		if !ok || p.is6() || p.protocol() != protoUDP {
			return
		}
		p.rewriteMapped(home(5000))
		if _, ok := parse(p); !ok {
			t.Error("got an invalid packet")
		}
	})
}
