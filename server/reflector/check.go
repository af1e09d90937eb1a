package reflector

import (
	"net/netip"
	"strings"

	"github.com/pion/stun/v4"
)

// check is a connectivity check with the correct password.
type check struct {
	session   *session
	nominated bool
	answer    []byte
}

// readCheck decodes a binding request as an ICE-lite agent does (RFC 8445 §7.3). ok is false
// for everything but an authenticated check of a session here: it gets no response, so that a
// forged source address causes no packets.
func (m *mediaPort) readCheck(b []byte, from netip.AddrPort) (check, bool) {
	if !stun.IsMessage(b) {
		return check{}, false
	}
	request := stun.Message{Raw: append([]byte(nil), b...)}
	if request.Decode() != nil || request.Type != stun.BindingRequest {
		return check{}, false
	}
	var user stun.Username
	if user.GetFrom(&request) != nil {
		return check{}, false
	}
	ours, theirs, _ := strings.Cut(user.String(), ":")
	s := m.sessionOf(ours)
	if s == nil || theirs != s.offer.ufrag {
		return check{}, false
	}
	integrity := stun.NewShortTermIntegrity(s.pwd)
	if stun.Fingerprint.Check(&request) != nil || integrity.Check(&request) != nil {
		return check{}, false
	}
	c := check{session: s, nominated: request.Contains(stun.AttrUseCandidate)}
	setters := []stun.Setter{
		&request, stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())},
		integrity, stun.Fingerprint,
	}
	if request.Contains(stun.AttrICEControlled) {
		// A lite agent is always controlled (RFC 8445 §6.1.1); the error makes the client change
		// its role (§7.3.1.1).
		c.nominated = false
		setters = []stun.Setter{
			&request, stun.NewType(stun.MethodBinding, stun.ClassErrorResponse),
			stun.CodeRoleConflict, integrity, stun.Fingerprint,
		}
	}
	answer, err := stun.Build(setters...)
	if err != nil {
		return check{}, false
	}
	c.answer = answer.Raw
	return c, true
}
