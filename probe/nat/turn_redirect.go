package nat

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/pion/stun/v4"

	"github.com/tonprobe/tonprobe/probe/guard"
)

// alternate is the server in a response 300 (Try Alternate) (RFC 8489 §10).
type alternate struct {
	at     netip.AddrPort
	domain string // ALTERNATE-DOMAIN; "" if absent
}

func (a alternate) isValid() bool { return a.at.IsValid() }

// apply returns s at the alternate address, with the same transport and credentials
// and, without ALTERNATE-DOMAIN, the same name for the certificate.
func (a alternate) apply(s relayServer) relayServer {
	s.at = a.at
	if a.domain != "" {
		s.domain = a.domain
	}
	return s
}

// watchedConn records error responses to Allocate and CreatePermission requests. The
// TURN library does not return their attributes, and nothing at all of an error response
// that precedes the authentication.
type watchedConn struct {
	net.PacketConn
	family4 bool // address family that an alternate server must have

	mu     sync.Mutex
	asked  map[[stun.TransactionIDSize]byte]bool
	code   stun.ErrorCode // of the last error response; 0 if none
	server alternate
	permit stun.ErrorCode // of the last refused permission; 0 if none
}

// noCode is an error response without a code, which RFC 8489 §6.3.1.1 does not permit.
const noCode stun.ErrorCode = -1

// WriteTo implements net.PacketConn.
func (c *watchedConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if m := turnMessage(b); m != nil && m.Type.Class == stun.ClassRequest {
		c.mu.Lock()
		if c.asked == nil {
			c.asked = map[[stun.TransactionIDSize]byte]bool{}
		}
		c.asked[m.TransactionID] = true
		if m.Type.Method == stun.MethodAllocate {
			c.code, c.server = 0, alternate{}
		}
		c.permit = 0
		c.mu.Unlock()
	}
	return c.PacketConn.WriteTo(b, to)
}

// ReadFrom implements net.PacketConn.
func (c *watchedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.PacketConn.ReadFrom(b)
	if err == nil {
		// This is a goroutine of the library. What cannot be processed is not recorded.
		_ = guard.Do(func() { c.note(b[:n]) })
	}
	return n, from, err
}

// note records an error response to one of our requests. The transaction
// id, which others cannot guess, associates it with the request.
func (c *watchedConn) note(b []byte) {
	m := turnMessage(b)
	if m == nil || m.Type.Class != stun.ClassErrorResponse {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asked[m.TransactionID] {
		return
	}
	var code stun.ErrorCodeAttribute
	missing := code.GetFrom(m) != nil
	switch {
	case m.Type.Method == stun.MethodCreatePermission && missing:
		c.permit = noCode
		return
	case m.Type.Method == stun.MethodCreatePermission:
		c.permit = code.Code
		return
	case missing:
		return
	}
	c.code = code.Code
	if code.Code == stun.CodeTryAlternate {
		c.server = alternateOf(m, c.family4)
	}
}

// turnMessage parses b and returns nil if it does not concern an allocation or a
// permission.
func turnMessage(b []byte) *stun.Message {
	if !stun.IsMessage(b) {
		return nil
	}
	m := stun.New()
	if _, err := m.Write(b); err != nil || m.Type.Method != stun.MethodAllocate && m.Type.Method != stun.MethodCreatePermission {
		return nil
	}
	return m
}

// alternateOf returns the first ALTERNATE-SERVER of the request's address family;
// there may be one of each (RFC 8489 §14.15).
func alternateOf(m *stun.Message, family4 bool) alternate {
	for _, a := range m.Attributes {
		if a.Type != stun.AttrAlternateServer {
			continue
		}
		var server stun.AlternateServer
		if server.GetFrom(&stun.Message{Attributes: stun.Attributes{a}}) != nil {
			continue
		}
		at := addrPort(server.IP, server.Port)
		if !at.IsValid() || at.Addr().Is4() != family4 {
			continue
		}
		found := alternate{at: at}
		if domain, err := m.Get(stun.AttrAlternateDomain); err == nil && isHostName(string(domain)) {
			found.domain = string(domain)
		}
		return found
	}
	return alternate{}
}

// permissionRefusal returns the code of the last error response to a CreatePermission
// request; 0 if none.
func (c *watchedConn) permissionRefusal() stun.ErrorCode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.permit
}

// refusal returns the code of the last error response to an Allocate request; 0 if
// none.
func (c *watchedConn) refusal() stun.ErrorCode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code
}

func (c *watchedConn) redirection() alternate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server
}

// fault returns the reason why there is no relay: from the server's error code (RFC
// 8656 §19, RFC 8489 §14.8) or, without one, from the library's error.
func (c *watchedConn) fault(err error) string {
	switch c.refusal() {
	case 0:
	case stun.CodeUnauthorized, stun.CodeStaleNonce, stun.CodeWrongCredentials,
		stun.CodeBadRequest: // pion's response to a wrong password
		return faultAuth
	case stun.CodeAllocQuotaReached, stun.CodeInsufficientCapacity:
		return faultQuota
	default:
		return faultOther
	}
	if errors.Is(err, stun.ErrAttributeNotFound) {
		return faultOther // a response, but not one of a TURN server
	}
	return faultUnreachable
}
