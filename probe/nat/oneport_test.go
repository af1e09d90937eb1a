package nat_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestSecondPortOverTLS: on a network that allows TLS on only one of the two ports,
// the relay over TLS works, whichever port that is.
func TestSecondPortOverTLS(t *testing.T) {
	r, roots := collector(t)
	var relay wire.ICEServer
	for _, s := range r.ICE("anna", "127.0.0.1").ICEServers {
		if s.Username != "" {
			relay = s
		}
	}
	works := relay.URLs[len(relay.URLs)-1]
	silent := silentServer(t).ICEServers[0].URLs[2]
	for name, c := range map[string]struct {
		urls      []string
		allocated bool
		fault     string
	}{
		"first closed":  {[]string{silent, works}, true, ""},
		"second closed": {[]string{works, silent}, true, ""},
		"both closed":   {[]string{silent, silentServer(t).ICEServers[0].URLs[2]}, false, "unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay := relay
			relay.URLs = c.urls
			d, result := tryRelays(t, wire.ICEConfig{ICEServers: []wire.ICEServer{relay}}, roots)
			if d.Transports == nil || *d.Transports != 1 || d.TLSAllocated == nil || *d.TLSAllocated != c.allocated || d.TLSError != c.fault {
				t.Errorf("got %+v; want Transports 1, TLSAllocated %v, TLSError %v", d, c.allocated, c.fault)
			}
			if (result.Status == report.StatusOK) != c.allocated {
				t.Errorf("got %+v, want ok %t", result, c.allocated)
			}
		})
	}
}
