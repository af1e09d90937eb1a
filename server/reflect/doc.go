// Package reflect is the server half of the voice measurement: STUN and TURN
// on one port, and a WebRTC echo on another, each over UDP and TCP.
//
// The echo stamps every packet when it arrives and when it leaves, numbers its
// answers on its own, and keeps a log of arrivals. So the agent can tell what
// was lost or late on the way up from what was lost or late on the way down.
//
// The media port sends nothing to anybody who did not prove to receive at that
// address: ICE is lite (RFC 8445 §2.5), so the reflector never calls the addresses
// an offer names, and the TURN relay talks to the reflector's own ports only. STUN
// cannot ask for a proof. Its answers are as short as RFC 8489 allows unless the
// request was as long, go to another port of the asker only with credentials, and
// are limited for each network (see answerLimits).
//
// The sockets follow the addresses of this machine: it may get one later than the
// collector starts, a second one, or another.
package reflect
