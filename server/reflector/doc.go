// Package reflector is the server side of the voice measurement: STUN and TURN on one port, and
// a WebRTC echo on another, each over UDP and TCP.
//
// The echo records the time of every packet on arrival and on departure, numbers its
// responses independently, and keeps a log of arrivals. The agent can thus separate loss and
// delay upstream from loss and delay downstream.
//
// The media port sends nothing to an address that has not been verified: ICE is lite (RFC 8445
// §2.5), so the reflector never contacts the addresses in an offer, and the TURN relay
// exchanges packets with the reflector's own ports only. STUN provides no verification. Its
// responses are as short as RFC 8489 allows unless the request was as long, go to another port
// of the client only with credentials, and are limited for each network (see answerLimits).
//
// The sockets follow the addresses of this machine, which may appear after the start of the
// collector or change.
package reflector
