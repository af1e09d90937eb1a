package judge

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Receipt is a downstream packet and its arrival time.
type Receipt struct {
	wire.Down
	ArrivedNS int64
}

// Recording contains the data of a finished stream. All its times are ns on the sender's
// monotonic clock since the start, except those of the reflector in Receipt.Down.
type Recording struct {
	Sends    []stats.Send
	Missed   int // refused by our own socket, or skipped because too late
	Echoes   []Receipt
	WaitedNS int64 // end of the wait for the last echoes
	Payload  int   // size of the RTP payload in bytes
	Complete bool  // the stream was not ended early
	Turned   bool  // the clock ran backwards or stood still
	AllBack  bool  // each packet's echo arrived before WaitedNS
}

// Limits of the wait for the last echoes. The last packet may be the slowest of all. Only a
// stream with missing echoes waits; others end with their last echo.
const (
	ShortestWait = 250 * time.Millisecond
	LongestWait  = 500 * time.Millisecond
)

// settling returns the time after which a packet without an echo counts as lost.
func settling(echoes []Receipt) time.Duration {
	if len(echoes) == 0 {
		return LongestWait
	}
	return max(Slowest(echoes)*3/2, ShortestWait)
}

// Slowest returns the longest round trip, with the time in the reflector.
func Slowest(echoes []Receipt) (rtt time.Duration) {
	for _, e := range echoes {
		rtt = max(rtt, time.Duration(e.ArrivedNS-e.UpSentNS))
	}
	return rtt
}

// longestHold is more than a reflector needs between timestamp and system call,
// even after a stall. Larger values are ignored.
const longestHold = time.Second

// correctDepartures uses the log's departure times of the reflector's packets: the
// timestamp in a packet is taken before its encryption.
func (r *Recording) correctDepartures(log wire.EchoLog) {
	for i := range r.Echoes {
		e := &r.Echoes[i]
		if int64(e.Seq) >= int64(len(log.TurnaroundNS)) {
			continue
		}
		left := e.UpArrivedNS + log.TurnaroundNS[e.Seq]
		if held := left - e.SentNS; held >= 0 && held <= int64(longestHold) {
			e.SentNS = left
		}
	}
}
