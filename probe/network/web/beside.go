package web

import (
	"context"
	"net/netip"

	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// tryBesideProxy connects directly to the server after a proxy delivered the page. If nothing
// answers, the network permits connections through the proxy only, which cannot carry UDP. A
// refused connection counts as well: the server has just answered through the proxy.
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
	if err != nil || len(addrs) == 0 || isUnspecified(addrs) {
		return // many networks with a proxy cannot resolve public names
	}
	conn, _, _ := dialAll(ctx, j.env, lookup.Alternate(addrs), origin.Port(j.target))
	j.data.BesideProxy = new(conn != nil)
	if conn != nil {
		_ = conn.Close()
	}
}
