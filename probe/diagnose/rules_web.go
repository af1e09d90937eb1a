package diagnose

// websocketBlocked is certain: the probe says "no" only where somebody between
// answered in the server's place or cut the line.
func websocketBlocked(f *facts) *finding {
	if f.web == nil || !isFalse(f.web.WebSocket) {
		return nil
	}
	return disturbance(likely, ofWeb("websocket", false, ""))
}

// ipv6Broken needs IPv4 to the same server to work, which the probe compared.
func ipv6Broken(f *facts) *finding {
	if f.link == nil || !isFalse(f.link.IPv6Reached) {
		return nil
	}
	return disturbance(likely, ofLink("ipv6_reached", false, ""))
}
