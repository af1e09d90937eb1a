package linkstate

// Bits of NLM_CONNECTION_COST (netlistmgr.h).
const (
	costUnrestricted  = 0x1
	costFixed         = 0x2 // a data volume is included
	costVariable      = 0x4 // paid by volume
	costOverDataLimit = 0x10000
	costRoaming       = 0x40000
)

// parseNetworkCost interprets the cost of a connection on Windows; nil if unknown.
func parseNetworkCost(cost uint32) *bool {
	switch {
	case cost&(costFixed|costVariable|costOverDataLimit|costRoaming) != 0:
		return new(true)
	case cost&costUnrestricted != 0:
		return new(false)
	}
	return nil
}
