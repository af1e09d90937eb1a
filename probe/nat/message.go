package nat

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"github.com/pion/stun/v2"
)

// transactionID associates a response with its request. It must be unpredictable, because it is the only protection
// against forged responses (RFC 8489 §5).
type transactionID = [stun.TransactionIDSize]byte

func newTransactionID(random io.Reader) (id transactionID, err error) {
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return id, fmt.Errorf("create a STUN transaction id: %w", err)
	}
	return id, nil
}

// bindingRequest encodes a request with optional attributes. FINGERPRINT is last (RFC 8489 §14.7) and makes the response
// contain one too.
func bindingRequest(id transactionID, attributes ...stun.Setter) ([]byte, error) {
	setters := append([]stun.Setter{stun.NewTransactionIDSetter(id), stun.BindingRequest}, attributes...)
	m, err := stun.Build(append(setters, stun.Fingerprint)...)
	if err != nil {
		return nil, fmt.Errorf("build a STUN request: %w", err)
	}
	return m.Raw, nil
}

// roomFor makes a request to that address as long as the longest response: that of RFC 5780 with its four addresses (§6.1)
// and FINGERPRINT. A server that must not amplify forged requests responds with no more bytes than it received. PADDING
// (§7.6) would request a longer response; SOFTWARE has no effect (RFC 8489 §14.14) and may have up to 127 bytes.
func roomFor(to netip.AddrPort) stun.Setter {
	addressBytes := 4 + 8
	if to.Addr().Is6() {
		addressBytes = 4 + 20
	}
	return stun.NewSoftware("tonprobe" + strings.Repeat(" ", 4*addressBytes-4-len("tonprobe")))
}

// binding is the content of a response to a binding request.
type binding struct {
	// mapped is our address as seen by the server; invalid if the response is an error or contains no plausible
	// address.
	mapped netip.AddrPort
	// rewritten is true if MAPPED-ADDRESS and XOR-MAPPED-ADDRESS differ; nil if only one of them is present.
	rewritten *bool
	// other is OTHER-ADDRESS (RFC 5780 §7.4); invalid if absent.
	other netip.AddrPort
}

// Reasons to ignore a packet.
var (
	errNotOurs     = errors.New("not the response to our request")
	errFingerprint = errors.New("wrong fingerprint")
)

// parseBinding parses the response to the request id. An error response counts: the server was reached and its
// response came back.
func parseBinding(b []byte, id transactionID) (binding, error) {
	m := stun.New()
	if _, err := m.Write(b); err != nil {
		return binding{}, fmt.Errorf("read a STUN message: %w", err)
	}
	if m.TransactionID != id || m.Type.Method != stun.MethodBinding ||
		m.Type.Class != stun.ClassSuccessResponse && m.Type.Class != stun.ClassErrorResponse {
		return binding{}, errNotOurs
	}
	if m.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(m) != nil {
		return binding{}, errFingerprint
	}
	if m.Type.Class == stun.ClassErrorResponse {
		return binding{}, nil
	}
	return readBinding(m), nil
}

func readBinding(m *stun.Message) (r binding) {
	var xor stun.XORMappedAddress
	var plain stun.MappedAddress
	var other stun.OtherAddress
	var fromXOR, fromPlain netip.AddrPort
	if xor.GetFrom(m) == nil {
		fromXOR = addrPort(xor.IP, xor.Port)
	}
	if plain.GetFrom(m) == nil {
		fromPlain = addrPort(plain.IP, plain.Port)
	}
	if other.GetFrom(m) == nil {
		r.other = addrPort(other.IP, other.Port)
	}
	switch {
	case fromXOR.IsValid():
		r.mapped = fromXOR
		if fromPlain.IsValid() {
			r.rewritten = new(fromPlain != fromXOR)
		}
	default: // a server of RFC 3489 sends only the plain one
		r.mapped = fromPlain
	}
	return r
}

// addrPort returns the address, or the zero value if no host can have it.
func addrPort(ip net.IP, port int) netip.AddrPort {
	addr, ok := netip.AddrFromSlice(ip)
	if !ok || port < 0 || port > 0xffff {
		return netip.AddrPort{}
	}
	a := netip.AddrPortFrom(addr.Unmap(), uint16(port))
	if !isPublicForm(a) {
		return netip.AddrPort{}
	}
	return a
}
