package wire

import "time"

// MediaTypeSDP is the content type of offer and answer on POST /api/v1/echo
// (RFC 9725 §4.2).
const MediaTypeSDP = "application/sdp"

// HeaderTimeMS is on each of the collector's answers: its clock in Unix ms.
const HeaderTimeMS = "Tonprobe-Time-Ms"

// HeaderCollector is on each of the collector's answers, errors and refused
// upgrades included, with [CollectorValue]. An answer without it is another
// machine's: a proxy's, a firewall's or a login page's.
const (
	HeaderCollector = "Tonprobe-Collector"
	CollectorValue  = "1"
)

// The RTP stream looks like Opus speech (RFC 7587) to every box on the path.
const (
	MimeTypeOpus   = "audio/opus"
	PayloadType    = 111   // the dynamic number browsers use for Opus
	ClockRateHz    = 48000 // RFC 7587 §4.1: always 48 kHz, whatever is coded
	Channels       = 2     // RFC 7587 §7: always written as opus/48000/2
	PacketInterval = 20 * time.Millisecond

	// StampStep is how far the RTP time stamp moves with each packet.
	StampStep = ClockRateHz / int(time.Second/PacketInterval)
)
