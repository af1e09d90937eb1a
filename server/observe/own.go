package observe

import (
	"bytes"
	"crypto/tls"
	"net"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Listener adds our header to the responses that package net/http writes without any handler: those
// to invalid requests. Without it they would look like another machine's. Connections of HTTP/2 are
// unchanged, since net/http needs their *tls.Conn; there an invalid request ends the stream.
func Listener(l net.Listener) net.Listener { return ownAnswers{l} }

type ownAnswers struct{ net.Listener }

// Accept implements net.Listener.
func (l ownAnswers) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := c.(*tls.Conn); ok {
		return c, nil
	}
	return ownAnswerConn{c}, nil
}

type ownAnswerConn struct{ net.Conn }

// Unwrap returns the connection below.
func (c ownAnswerConn) Unwrap() net.Conn { return c.Conn }

// ownHeaders follow the status line of such a response, which net/http writes with one call. A
// handler's response does not start like this, because it has a Date. The exception is the response to an
// unknown Expect; no handler sends 417.
var ownHeaders = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

var headerLine = []byte("\r\n" + wire.HeaderCollector + ": " + wire.CollectorValue)

// Write implements net.Conn.
func (c ownAnswerConn) Write(b []byte) (int, error) {
	at := -1
	if bytes.HasPrefix(b, []byte("HTTP/1.1 ")) {
		end := bytes.Index(b, []byte("\r\n"))
		if end >= 0 && (bytes.HasPrefix(b[end:], ownHeaders) || string(b[:end]) == "HTTP/1.1 417 Expectation Failed") {
			at = end
		}
	}
	if at < 0 {
		return c.Conn.Write(b)
	}
	stamped := append(append(append(make([]byte, 0, len(b)+len(headerLine)), b[:at]...), headerLine...), b[at:]...)
	n, err := c.Conn.Write(stamped)
	return min(n, len(b)), err
}

// CloseWrite is used by net/http to end a broken connection.
func (c ownAnswerConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
