package server

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/reflector"
)

// echo is the reflector for agents, with external servers added.
type echo struct {
	*reflector.Reflector
	others ICEServers
	now    func() time.Time
}

// ICE implements api.Echo.
func (e echo) ICE(owner, host string) wire.ICEConfig {
	return e.others.add(e.Reflector.ICE(owner, host), owner, e.now())
}
