// Package netbench is the on-wire test bench: network namespaces joined by a link
// with known faults, in which the real programs run. It is test code; a test checks
// that nothing but tests imports it.
//
//	home ──lan── gateway ──access── isp ──server── server
//
// Each of the four is a network namespace with one TUN device. The [Link] reads all
// four devices in one thread and forwards each packet through the segments on its
// path, each with its own pipeline per direction. The gateway may translate addresses
// (every behaviour of RFC 4787), and so may the provider (carrier-grade NAT,
// 100.64.0.0/10); for IPv6 both are stateful firewalls. Gateway and isp respond to
// echo requests, decrement the TTL and send a router's ICMP errors. The link records
// when each packet arrives and departs, so that figures are compared with what
// happened instead of with the configuration.
//
// Boxes simulate what is more than a packet: name server, login page, proxy and
// inspecting firewall on the gateway, and a reverse proxy in front of the collector.
// A [detour] redirects connections to them transparently.
//
// # Scenarios
//
// A scenario is a TOML file in scenarios/ and named after the file. It is also
// documentation:
//
//	title  = "Wi-Fi at the edge of its reach"
//	about  = "Two walls away: every tenth frame is lost in bursts, both ways."
//	expect = "net.lan_loss"      # the primary cause, or "healthy"
//	also   = ["net.wifi_weak"]   # other causes, if the line has several faults
//	remark = true                # the voice is not disturbed: severity info, no warning
//	needs  = "network.link"      # what the product still lacks; remove it once it exists
//	subset = true                # part of the quick run
//
//	[lan.both]                   # both directions; up and down override it
//	delay_ms = 2
//	burst_loss_pct = 10
//	burst_packets = 5
//
//	[[lan.up.later]]             # from a second of the check on; other values are kept
//	from_s = 4
//	burst_loss_pct = 30
//
// The segments are [lan], [access] and [server], the directions up (towards the
// server) and down. The fields of [Line] describe a direction. The other tables are
//
//	[nat]        mapping = "EIM|ADM|APDM|none", filtering = "EIF|ADF|APDF",
//	             ports = "preserve|random|sequential", lifetime_s, hairpin,
//	             refresh_inbound, alg       (the home router; see [NATSpec])
//	[cgnat]      the same for the provider's NAT; enabled by its presence
//	[ipv6]       on = true, or name_only = true (only the name has an address)
//	[dns]        delay_ms, says, dead_first, search, hijacks, fails = "silent|servfail|
//	             nxdomain|refused|silent_aaaa|truncated|hidden|hidden_nxdomain"; see [DNSSpec]
//	[portal]     a guest network with a login page, see [PortalSpec]
//	[proxy]      an explicit proxy, see [ProxySpec]
//	[inspection] intercepts TLS, see [InspectionSpec]
//	[stun]       a faulty STUN server, see [STUNSpec]
//	[collector]  a fault at our own site, see [CollectorSpec]
//	[home]       the participant's computer and the options of its check, see [HomeSpec]
//
// Without [nat] the home router is an ordinary one: EIM, APDF, port kept, 120 s.
//
// # Running
//
// It needs Linux, root and /dev/net/tun. Plain go test skips what needs them.
//
//	TONPROBE_TEST_ALL=1 go test ./probe/internal/testbench/netbench            # the subset, about two minutes
//	TONPROBE_BENCH=all go test -v -timeout 90m -run 'Scenarios$' ./probe/internal/testbench/netbench
//	TONPROBE_BENCH=wifi-edge,dsl-16 go test -v -run 'Scenarios$' ./probe/internal/testbench/netbench
//
// Before each check the bench waits until the machine is idle (see AwaitQuiet); no
// check is repeated because of its result.
//
// TONPROBE_BENCH_MATRIX=file appends the tables as Markdown to a file,
// TONPROBE_BENCH_DOCUMENT=file replaces the tables in a document,
// TONPROBE_BENCH_REPORTS=folder keeps the reports and the packets there,
// TONPROBE_BENCH_WORLDS=n runs n worlds concurrently (default 2),
// TONPROBE_BENCH_QUIET=d waits at most d for an idle machine (default 20s).
// Paths are relative to this folder. The names of namespaces and devices contain the
// process ID; those of dead processes are removed at the start.
package netbench
