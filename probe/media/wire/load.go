package wire

// MaxLoadBytes is the most that one direction of media.load moves in all, and
// the most that one request to the collector may.
const MaxLoadBytes = 4 << 20

// PathLoad is where the collector takes and gives bytes for media.load.
const PathLoad = "api/v1/load"

// LoadReceipt is what the collector answers to bytes it was sent.
type LoadReceipt struct {
	// Bytes is how many came after the first that arrived.
	Bytes int64 `json:"bytes"`
	// MS is the time from the first arrival to the last in ms.
	MS float64 `json:"ms"`
}
