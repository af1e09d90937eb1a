// Package turntest is a TURN client for tests.
package turntest

import (
	"net"

	"github.com/pion/turn/v5"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Allocate requests a relayed address over a stream connection to a TURN server, with
// the credentials of s, and returns it to the server.
func Allocate(conn net.Conn, s wire.ICEServer) error {
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: conn.RemoteAddr().String(), Conn: turn.NewSTUNConn(conn),
		Username: s.Username, Password: s.Credential,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		return err
	}
	relayed, err := client.Allocate()
	if err != nil {
		return err
	}
	return relayed.Close()
}
