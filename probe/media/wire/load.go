package wire

import "time"

// MaxLoadBytes is the most that one request of media.load to the collector may
// move.
const MaxLoadBytes = 4 << 20

// PathLoad is where the collector takes and gives bytes for media.load.
const PathLoad = "api/v1/load"

// PathLoadArrivals is where the collector tells, while an upload goes on, when
// its bytes arrive. A collector that has no such path is of an earlier version.
const PathLoadArrivals = "api/v1/load/arrivals"

// LoadRun is the query parameter that ties uploads to a request for arrivals: up
// to 64 characters that the agent makes up.
const LoadRun = "run"

// LoadInterval is the length of the intervals of LoadArrivals.
const LoadInterval = 10 * time.Millisecond

// LoadArrivals is one line of the answer of PathLoadArrivals (newline-delimited
// JSON): the bytes of request bodies that arrived in each interval, all uploads
// of the run together. Interval 0 begins with the first byte of the run.
type LoadArrivals struct {
	// From is the number of the first interval of this line.
	From int `json:"from"`
	// Bytes has one entry for each interval that is over.
	Bytes []int64 `json:"bytes"`
	// Segments means that the kernel counted segments as they arrived. Otherwise a lost
	// packet delays the bytes after it, until it has been sent again.
	Segments bool `json:"segments,omitempty"`
	// FirstEnd is the interval in which the first upload of the run was complete;
	// nil until then. After it fewer transfers fill the line.
	FirstEnd *int `json:"first_end,omitempty"`
}

// LoadReceipt is what the collector answers to bytes it was sent.
type LoadReceipt struct {
	// Bytes is how many came after the first that arrived.
	Bytes int64 `json:"bytes"`
	// MS is the time from the first arrival to the last in ms.
	MS float64 `json:"ms"`
}
