package wire

import "time"

// MaxLoadBytes limits the body of one request of media.load to the collector.
const MaxLoadBytes = 4 << 20

// PathLoad is the path at which the collector accepts and returns bytes for
// media.load.
const PathLoad = "api/v1/load"

// PathLoadArrivals is the path at which the collector reports, during an upload,
// when its bytes arrive. Older collectors do not have it.
const PathLoadArrivals = "api/v1/load/arrivals"

// LoadRun is the query parameter that associates uploads with a request for
// arrivals: up to 64 characters chosen by the agent.
const LoadRun = "run"

// LoadInterval is the length of the intervals of LoadArrivals.
const LoadInterval = 10 * time.Millisecond

// LoadArrivals is one line of the response of PathLoadArrivals (newline-delimited
// JSON): the bytes of request bodies that arrived in each interval, summed over all
// uploads of the run. Interval 0 begins with the first byte of the run.
type LoadArrivals struct {
	// From is the number of the first interval of this line.
	From int `json:"from"`
	// Bytes has one entry for each completed interval.
	Bytes []int64 `json:"bytes"`
	// Segments means that the kernel counted segments as they arrived. Otherwise
	// the bytes after a lost packet count only after its retransmission.
	Segments bool `json:"segments,omitempty"`
	// FirstEnd is the interval in which the first upload of the run was completed;
	// nil until then. Afterwards fewer transfers share the line.
	FirstEnd *int `json:"first_end,omitempty"`
}

// LoadReceipt is the collector's response to an upload.
type LoadReceipt struct {
	// Bytes is the number of bytes after those of the first arrival.
	Bytes int64 `json:"bytes"`
	// MS is the time from the first arrival to the last in ms.
	MS float64 `json:"ms"`
}
