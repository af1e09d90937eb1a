package reflector

import (
	"fmt"
	"net/netip"
	"strings"
)

// answerSDP answers the session's offer, with addrs as candidates, each over UDP and over TCP
// (RFC 6544, passive: the client connects).
func (s *session) answerSDP(addrs []netip.AddrPort) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("v=0")
	line("o=- %d 1 IN IP4 0.0.0.0", s.ssrc)
	line("s=-")
	line("t=0 0")
	line("a=ice-lite")
	if s.offer.mid != "" {
		line("a=group:BUNDLE %s", s.offer.mid)
	}
	line("m=audio 9 UDP/TLS/RTP/SAVPF %d", s.offer.payloadType)
	line("c=IN IP4 0.0.0.0")
	if s.offer.mid != "" {
		line("a=mid:%s", s.offer.mid)
	}
	line("a=ice-ufrag:%s", s.ufrag)
	line("a=ice-pwd:%s", s.pwd)
	line("a=fingerprint:sha-256 %s", s.r.fingerprint)
	line("a=setup:%s", map[bool]string{true: "active", false: "passive"}[s.offer.weAreClient()])
	line("a=rtcp-mux")
	line("a=rtcp-rsize")
	line("a=rtpmap:%d opus/48000/2", s.offer.payloadType)
	line("a=sendrecv")
	line("a=msid:echo echo")
	line("a=ssrc:%d cname:echo", s.ssrc)
	writeCandidates(&b, addrs)
	return b.String()
}

func writeCandidates(b *strings.Builder, addrs []netip.AddrPort) {
	for i, a := range addrs {
		local := 0xffff - i // order of preference among our candidates
		fmt.Fprintf(b, "a=candidate:%d 1 udp %d %s %d typ host\r\n",
			2*i+1, priority(126, local), a.Addr(), a.Port())
		// RFC 6544 §4.2: TCP below every UDP candidate of its type; the 13 low bits are the
		// address, the high ones the direction (2 for passive).
		fmt.Fprintf(b, "a=candidate:%d 1 tcp %d %s %d typ host tcptype passive\r\n",
			2*i+2, priority(90, 2<<13|local&0x1fff), a.Addr(), a.Port())
	}
	b.WriteString("a=end-of-candidates\r\n")
}

// priority is defined in RFC 8445 §5.1.2.1, here for component 1.
func priority(kind, local int) uint32 { return uint32(kind)<<24 | uint32(local)<<8 | 255 }

// candidates returns the addresses for an answer. It includes loopback only for clients that
// can use it, or if there is nothing else.
func (m *mediaPort) candidates(loopback bool) []netip.AddrPort {
	var far, near []netip.AddrPort
	for _, a := range m.advertised() {
		if a.Addr().IsLoopback() {
			near = append(near, a)
		} else {
			far = append(far, a)
		}
	}
	switch {
	case len(far) == 0:
		return near
	case loopback && len(near) > 0:
		return append(near, far...)
	case loopback:
		// This machine may be unable to reach itself by the addresses in MediaIPs; the bound
		// loopback address is then used.
		for _, a := range m.addresses() {
			if a.Addr().IsLoopback() {
				near = append(near, a)
			}
		}
		return append(near, far...)
	}
	return far
}
