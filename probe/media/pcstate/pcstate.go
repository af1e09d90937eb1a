// Package pcstate turns the states of a WebRTC connection into channels.
package pcstate

import (
	"sync"

	"github.com/pion/webrtc/v4"
)

// States are the steps of a connection. Each channel is closed at most once.
type States struct {
	Path <-chan struct{} // closed when a path for packets was found
	Keys <-chan struct{} // closed when the keys of the encryption were agreed
	Down <-chan struct{} // closed when the connection has failed or was closed
}

// Follow returns the states of pc. It must be called before pc connects, and replaces the
// handlers of its states.
func Follow(pc *webrtc.PeerConnection) States {
	path, foundPath := once()
	keys, agreedKeys := once()
	down, ended := once()
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		switch s {
		case webrtc.ICEConnectionStateConnected, webrtc.ICEConnectionStateCompleted:
			foundPath()
		case webrtc.ICEConnectionStateFailed, webrtc.ICEConnectionStateClosed:
			ended()
		}
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			agreedKeys()
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			ended()
		}
	})
	return States{Path: path, Keys: keys, Down: down}
}

func once() (reached <-chan struct{}, reach func()) {
	c := make(chan struct{})
	return c, sync.OnceFunc(func() { close(c) })
}
