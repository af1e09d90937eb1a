package wire

import "time"

// MediaTypeSDP is the content type of offer and answer on POST /api/v1/echo
// (RFC 9725 §4.2).
const MediaTypeSDP = "application/sdp"

// HeaderTimeMS is part of each response of the collector: its clock in Unix ms.
const HeaderTimeMS = "Tonprobe-Time-Ms"

// HeaderCollector is part of each response of the collector, including errors and refused upgrades, with
// [CollectorValue]. A response without it comes from a proxy, a firewall or a login page.
const (
	HeaderCollector = "Tonprobe-Collector"
	CollectorValue  = "1"
)

// HeaderEcho is part of the answer to OPTIONS on the reflector's WHIP endpoint, with
// [EchoValue]: it returns the stream and records what arrived, unlike other endpoints.
const (
	HeaderEcho = "Tonprobe-Echo"
	EchoValue  = "1"
)

// The RTP stream looks like Opus speech (RFC 7587) to middleboxes.
const (
	MimeTypeOpus   = "audio/opus"
	PayloadType    = 111   // the dynamic number that browsers use for Opus
	ClockRateHz    = 48000 // RFC 7587 §4.1: always 48 kHz, whatever is coded
	Channels       = 2     // RFC 7587 §7: always written as opus/48000/2
	PacketInterval = 20 * time.Millisecond

	// StampStep is the increment of the RTP timestamp per packet.
	StampStep = ClockRateHz / int(time.Second/PacketInterval)
)
