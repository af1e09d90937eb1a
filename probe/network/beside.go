package network

import (
	"context"
	"net/netip"
)

// tryBesideProxy connects to the server itself where a proxy brought the page.
// That nobody is there then shows that the network lets nothing out but by way of
// the proxy, which cannot carry sound over UDP. Being refused counts as well: the server
// itself has just answered by the other way.
func (j *journey) tryBesideProxy(ctx context.Context) {
	if j.proxy == nil || j.data.Stage != stageHTTP || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(portalTime, j.StepTime))
	defer cancel()
	name := j.target.Hostname()
	addrs := []netip.Addr{{}}
	var err error
	if addrs[0], err = netip.ParseAddr(name); err != nil {
		addrs, err = j.Resolver.LookupNetIP(ctx, "ip", name)
	}
	if err != nil || len(addrs) == 0 || saysNowhere(addrs) {
		return // many networks with a proxy know no names of the world's
	}
	conn, _, _ := dialAll(ctx, j.env, alternate(addrs), portOf(j.target))
	j.data.BesideProxy = new(conn != nil)
	if conn != nil {
		_ = conn.Close()
	}
}
