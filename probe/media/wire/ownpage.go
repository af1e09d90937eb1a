package wire

import "time"

const (
	// PathOwnPage is the path at which an agent requests a code for the page about its participant,
	// relative to the address of the collector.
	PathOwnPage = "api/v1/own-page"
	// OwnPagePath is the path of that page. The code may follow as the fragment, which browsers do not send.
	OwnPagePath = "/mine"
	// MaxOwnPageBytes limits the response.
	MaxOwnPageBytes = 4 << 10
)

// OwnPageCode opens the page about the participant of an agent, once.
type OwnPageCode struct {
	Code      string    `json:"code"`
	ExpiresAt time.Time `json:"expires_at"` // by the collector's clock
}
