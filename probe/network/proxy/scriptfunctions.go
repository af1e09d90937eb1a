package proxy

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"github.com/dop251/goja"
)

// functions returns the functions for a script. Those with Ex support IPv6
// (Microsoft's extension, adopted by browsers).
func functions(vm *goja.Runtime, t task, lookUp func(string) addresses) map[string]any {
	asked := asker{lookUp, map[string][]netip.Addr{}}
	own := func() string { return t.Own }
	orNull := func(s string) goja.Value {
		if s == "" {
			return goja.Null()
		}
		return vm.ToValue(s)
	}
	at := func(gmt bool) moment { return momentOf(t.Now, gmt) }
	inRange := func(in func(moment, []string) bool) func(goja.FunctionCall) goja.Value {
		return func(call goja.FunctionCall) goja.Value {
			args, gmt := arguments(call)
			return vm.ToValue(in(at(gmt), args))
		}
	}
	return map[string]any{
		"isPlainHostName": func(host string) bool { return !strings.ContainsAny(host, ".:") },
		"dnsDomainIs": func(host, domain string) bool {
			return strings.HasSuffix(strings.ToLower(host), strings.ToLower(domain))
		},
		"localHostOrDomainIs": localHostOrDomainIs,
		"dnsDomainLevels":     func(host string) int { return strings.Count(host, ".") },
		"shExpMatch":          func(s, pattern string) bool { return matches(pattern, s) },
		"isResolvable":        func(host string) bool { return asked.first(host) != "" },
		"dnsResolve":          func(host string) goja.Value { return orNull(asked.first(host)) },
		"isInNet":             asked.isInNet,
		"myIpAddress":         own,
		"convert_addr":        convertAddr,
		"isResolvableEx":      func(host string) bool { return len(asked.all(host)) > 0 },
		"dnsResolveEx":        func(host string) string { return joined(asked.all(host)) },
		"isInNetEx":           isInNetEx,
		"myIpAddressEx":       own,
		"sortIpAddressList":   sortAddresses,
		"getClientVersion":    func() string { return "1.0" },
		"alert":               func(goja.FunctionCall) goja.Value { return goja.Undefined() },
		"weekdayRange":        inRange(moment.inWeekdays),
		"dateRange":           inRange(moment.inDates),
		"timeRange":           inRange(moment.inTimes),
	}
}

// arguments returns the arguments of a range without the word GMT.
func arguments(call goja.FunctionCall) (args []string, gmt bool) {
	for _, v := range call.Arguments {
		args = append(args, strings.ToUpper(strings.TrimSpace(v.String())))
	}
	if n := len(args); n > 0 && args[n-1] == "GMT" {
		return args[:n-1], true
	}
	return args, false
}

func localHostOrDomainIs(host, name string) bool {
	host, name = strings.ToLower(host), strings.ToLower(name)
	bare, _, _ := strings.Cut(name, ".")
	return host == name || host == bare
}

// asker looks up addresses for the script, each name once: scripts request the same host
// in line after line, and each lookup would take a second if lookups time out.
type asker struct {
	lookUp func(string) addresses
	known  map[string][]netip.Addr
}

func (a asker) all(host string) []netip.Addr {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}
	}
	found, ok := a.known[host]
	if !ok {
		found = a.lookUp(host).Found
		a.known[host] = found
	}
	return found
}

// first returns an IPv4 address of host: the old functions do not support IPv6.
func (a asker) first(host string) string {
	all := a.all(host)
	if i := slices.IndexFunc(all, netip.Addr.Is4); i >= 0 {
		return all[i].String()
	}
	return ""
}

func (a asker) isInNet(host, network, mask string) bool {
	at, err := netip.ParseAddr(a.first(host))
	n, err2 := netip.ParseAddr(network)
	m, err3 := netip.ParseAddr(mask)
	if err != nil || err2 != nil || err3 != nil || !at.Is4() || !n.Is4() || !m.Is4() {
		return false
	}
	x, y, by := at.As4(), n.As4(), m.As4()
	for i := range by {
		if x[i]&by[i] != y[i]&by[i] {
			return false
		}
	}
	return true
}

func isInNetEx(address, network string) bool {
	a, err := netip.ParseAddr(address)
	n, err2 := netip.ParsePrefix(network)
	return err == nil && err2 == nil && n.Contains(a)
}

func convertAddr(address string) uint32 {
	a, err := netip.ParseAddr(address)
	if err != nil || !a.Is4() {
		return 0
	}
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func joined(addrs []netip.Addr) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, ";")
}

// sortAddresses sorts a list of addresses, IPv6 before IPv4. It returns "" if text
// is not a list of addresses.
func sortAddresses(text string) string {
	var all []netip.Addr
	for one := range strings.SplitSeq(text, ";") {
		a, err := netip.ParseAddr(strings.TrimSpace(one))
		if err != nil {
			return ""
		}
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b netip.Addr) int {
		if a.Is4() != b.Is4() {
			if a.Is4() {
				return 1
			}
			return -1
		}
		return bytes.Compare(a.AsSlice(), b.AsSlice())
	})
	return joined(all)
}
