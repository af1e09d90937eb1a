package linkstate

import (
	"context"
	"time"
)

// meteredWithin limits the request to the system's network manager.
const meteredWithin = 2 * time.Second

// Metered reports whether the system treats the connection of this computer as one whose
// traffic costs money or is limited, such as a mobile phone's hotspot; nil if unknown. It
// sends nothing on the network.
func Metered(ctx context.Context) *bool {
	ctx, cancel := context.WithTimeout(ctx, meteredWithin)
	defer cancel()
	return metered(ctx)
}
