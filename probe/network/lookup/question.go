package lookup

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Answer is the response of one name server to one query. Unlike package net it distinguishes a name without an address from
// one that does not exist.
type Answer struct {
	Code      dnsmessage.RCode
	Addrs     []netip.Addr
	Truncated bool
	// Authoritative is set if the name server is responsible for the name, and need not ask others
	// (RFC 1035 §4.1.1).
	Authoritative bool
}

// errSilent means that the name server did not respond in time.
var errSilent = errors.New("the name server does not respond")

// Ask queries one name server over UDP, at most three times, and returns any response. The name is used without the search
// list.
func Ask(ctx context.Context, server netip.AddrPort, name string, kind dnsmessage.Type) (Answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	query, err := newQuery(name, kind)
	if err != nil {
		return Answer{}, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", server.String())
	if err != nil {
		return Answer{}, fmt.Errorf("query a name server: %w", err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	go func() {
		for _, after := range []time.Duration{0, askAgain, askOthers - askAgain} {
			if !wait(ctx, after) {
				return
			}
			_, _ = conn.Write(query)
		}
	}()
	b := make([]byte, 4096)
	for {
		n, err := conn.Read(b)
		if ctx.Err() != nil {
			return Answer{}, errSilent
		}
		if err != nil {
			return Answer{}, fmt.Errorf("query a name server: %w", err)
		}
		if a, ok := readAnswer(b[:n], query); ok {
			return a, nil
		}
	}
}

func newQuery(name string, kind dnsmessage.Type) ([]byte, error) {
	if name == "" || name[len(name)-1] != '.' {
		name += "."
	}
	n, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, fmt.Errorf("resolve a name: %w", err)
	}
	var id [2]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("create a query id: %w", err)
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: binary.BigEndian.Uint16(id[:]), RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: n, Type: kind, Class: dnsmessage.ClassINET}},
	}
	b, err := m.Pack()
	if err != nil {
		return nil, fmt.Errorf("write a question: %w", err)
	}
	return b, nil
}

// readAnswer parses a response to a query; ok is false if reply does not belong to query (RFC 5452 §9.1).
func readAnswer(reply, query []byte) (a Answer, ok bool) {
	var asked, got dnsmessage.Parser
	was, err := asked.Start(query)
	if err != nil {
		return a, false
	}
	question, err := asked.Question()
	if err != nil {
		return a, false
	}
	h, err := got.Start(reply)
	if err != nil || !h.Response || h.ID != was.ID {
		return a, false
	}
	repeated, err := got.Question()
	if err != nil || repeated.Type != question.Type || repeated.Class != question.Class || !equalNames(repeated.Name, question.Name) {
		return a, false
	}
	a = Answer{Code: h.RCode, Truncated: h.Truncated, Authoritative: h.Authoritative}
	if got.SkipAllQuestions() != nil {
		return a, true
	}
	for {
		r, err := got.AnswerHeader()
		if err != nil {
			return a, true
		}
		switch r.Type {
		case dnsmessage.TypeA:
			body, err := got.AResource()
			if err != nil {
				return a, true
			}
			a.Addrs = append(a.Addrs, netip.AddrFrom4(body.A))
		case dnsmessage.TypeAAAA:
			body, err := got.AAAAResource()
			if err != nil {
				return a, true
			}
			a.Addrs = append(a.Addrs, netip.AddrFrom16(body.AAAA))
		default:
			if got.SkipAnswer() != nil {
				return a, true
			}
		}
	}
}

// equalNames compares without regard to case (RFC 4343).
func equalNames(a, b dnsmessage.Name) bool {
	if a.Length != b.Length {
		return false
	}
	for i := range int(a.Length) {
		x, y := a.Data[i], b.Data[i]
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}
