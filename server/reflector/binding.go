package reflector

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/pion/stun/v4"
)

// attrPadding (RFC 5780 §7.6) is not supported, because it would let the client choose the
// length of the response.
const attrPadding = stun.AttrType(0x0026)

// answer answers a binding request and reports whether b was one.
func (d *discovery) answer(at *net.UDPConn, b []byte, from netip.AddrPort) bool {
	if !isBindingRequest(b) {
		return false
	}
	request := stun.Message{Raw: append([]byte(nil), b...)}
	if request.Decode() != nil || request.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(&request) != nil {
		return true
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	d.heard.from(from.Addr())
	r := d.reply(at, &request, from)
	if raw, err := r.bytes(len(b), func() bool { return d.limits.large(from.Addr()) }); err == nil {
		_, _ = r.out.WriteToUDPAddrPort(raw, r.to)
	}
	return true
}

// isBindingRequest checks the type, the first two bytes (RFC 8489 §5), which avoids decoding
// TURN traffic.
func isBindingRequest(b []byte) bool {
	return len(b) >= 20 && binary.BigEndian.Uint16(b) == stun.BindingRequest.Value() && stun.IsMessage(b)
}

// asksForElsewhere reports whether a request asks for a response to another port.
func asksForElsewhere(b []byte) bool { return hasAttribute(b, stun.AttrResponsePort) }

// hasAttribute searches a STUN message for an attribute without decoding it.
func hasAttribute(b []byte, wanted stun.AttrType) bool {
	for b = b[20:]; len(b) >= 4; {
		if stun.AttrType(binary.BigEndian.Uint16(b)) == wanted {
			return true
		}
		n := 4 + (int(binary.BigEndian.Uint16(b[2:]))+3)&^3
		b = b[min(n, len(b)):]
	}
	return false
}

// reply is a response to a binding request: the socket to send it from, its destination and
// its content.
type reply struct {
	out *net.UDPConn
	to  netip.AddrPort
	// must contains the required attributes, more those of RFC 5780, end the final ones.
	must, more, end []stun.Setter
}

// bytes encodes the response. The attributes of RFC 5780 make it up to 3.8 times as long as
// the shortest request, whose source may be forged. They are therefore added only if the
// request was at least as long, or if large permits one more long response.
func (r reply) bytes(requestBytes int, large func() bool) ([]byte, error) {
	build := func(parts ...[]stun.Setter) ([]byte, error) {
		var all []stun.Setter
		for _, p := range parts {
			all = append(all, p...)
		}
		m, err := stun.Build(all...)
		if err != nil {
			return nil, err
		}
		return m.Raw, nil
	}
	if len(r.more) > 0 {
		raw, err := build(r.must, r.more, r.end)
		if err != nil || len(raw) <= requestBytes || large() {
			return raw, err
		}
	}
	return build(r.must, r.end)
}

func (d *discovery) reply(at *net.UDPConn, request *stun.Message, from netip.AddrPort) reply {
	r := reply{out: at, to: from}
	if request.Contains(stun.AttrFingerprint) {
		r.end = append(r.end, stun.Fingerprint)
	}
	refuse := func(code stun.ErrorCode, more ...stun.Setter) reply {
		// No reason phrase, which would make the response longer than the request.
		r.must = append([]stun.Setter{
			request, stun.NewType(stun.MethodBinding, stun.ClassErrorResponse), stun.ErrorCodeAttribute{Code: code},
		}, more...)
		return r
	}
	four := d.four.Load()
	ip, port, here := four.place(at)
	if unknown := notUnderstood(request, here); len(unknown) > 0 {
		return refuse(stun.CodeUnknownAttribute, unknown)
	}
	if v, err := request.Get(stun.AttrResponsePort); err == nil {
		// RFC 5780 §7.5: the same host, another port. Without credentials this would make it
		// possible to send to any port of any host.
		integrity, ok := d.credentials(request)
		switch {
		case !request.Contains(stun.AttrMessageIntegrity), len(v) < 2:
			return refuse(stun.CodeBadRequest) // RFC 8489 §9.1.3
		case !ok:
			return refuse(stun.CodeUnauthorized)
		}
		r.to = netip.AddrPortFrom(from.Addr(), binary.BigEndian.Uint16(v))
		r.end = append([]stun.Setter{integrity}, r.end...)
	}
	if flags := changeFlags(request); here {
		r.out = four.at[ip^flags>>2&1][port^flags>>1&1]
	}
	mapped, origin := net.UDPAddrFromAddrPort(from), net.UDPAddrFromAddrPort(localAddrPort(r.out))
	r.must = []stun.Setter{request, stun.BindingSuccess, &stun.XORMappedAddress{IP: mapped.IP, Port: mapped.Port}}
	r.more = []stun.Setter{
		&stun.MappedAddress{IP: mapped.IP, Port: mapped.Port}, // differs from the XOR form if a middlebox rewrites addresses
		&stun.ResponseOrigin{IP: origin.IP, Port: origin.Port},
	}
	if here {
		// RFC 5780 §7.4: relative to the address at which the request arrived, whichever one
		// sends the response.
		other := net.UDPAddrFromAddrPort(localAddrPort(four.at[1-ip][1-port]))
		r.more = append(r.more, &stun.OtherAddress{IP: other.IP, Port: other.Port})
	}
	return r
}

// notUnderstood lists the unsupported comprehension-required attributes (RFC 8489 §6.3.1).
func notUnderstood(m *stun.Message, two bool) (unknown stun.UnknownAttributes) {
	for _, a := range m.Attributes {
		change := a.Type == stun.AttrChangeRequest
		if a.Type == attrPadding || change && !two {
			unknown = append(unknown, a.Type)
		}
	}
	return unknown
}

// changeFlags returns the flags of CHANGE-REQUEST (RFC 5780 §7.2): 4 for another address, 2
// for another port.
func changeFlags(m *stun.Message) int {
	v, err := m.Get(stun.AttrChangeRequest)
	if err != nil || len(v) != 4 {
		return 0
	}
	return int(v[3] & 6)
}

func localAddrPort(c *net.UDPConn) netip.AddrPort {
	a := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
