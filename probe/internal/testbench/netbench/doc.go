// Package netbench is the on-wire test bench: network namespaces joined by a link
// whose faults are known, in which the real programs run. It is test code;
// nothing but tests may import it, and a test holds that.
//
//	home ──lan── gateway ──access── isp ──server── server
//
// Each of the four is a network namespace with one TUN device. The [Link] reads
// all four devices in one thread and carries every packet through the segments
// on its way, each with a pipeline of its own for each direction. The gateway
// may translate addresses (every behaviour of RFC 4787), the provider may do so
// a second time (carrier-grade NAT, 100.64.0.0/10); IPv6 passes both behind a
// firewall that lets answers in. Gateway and isp answer pings, count down the
// TTL and send the ICMP errors a router sends. The link writes down when it took
// each packet in and when it let it out, so that figures are held against what
// happened and not against what was wished.
//
// Boxes stand on the way for what is more than a packet: name server, login
// page, proxy and inspecting firewall on the gateway, a reverse proxy before the
// collector. A [detour] leads to them without anybody being told.
//
// # Scenarios
//
// A scenario is a TOML file in scenarios/; its name is the file's. It reads as
// documentation:
//
//	title  = "Wi-Fi at the edge of its reach"
//	about  = "Two walls away: every tenth frame is lost in bursts, both ways."
//	expect = "net.lan_loss"      # the primary cause, or "healthy"
//	also   = ["net.wifi_weak"]   # only where the line has both faults: the other one
//	remark = true                # the voice is not disturbed: a remark, and no warning
//	needs  = "network.link"      # what the product still lacks; drop it when it is there
//	subset = true                # part of the quick run
//
//	[lan.both]                   # both, then up or down on top of it
//	delay_ms = 2
//	burst_loss_pct = 10
//	burst_packets = 5
//
//	[[lan.up.later]]             # from a second of the check on; keeps what it does not name
//	from_s = 4
//	burst_loss_pct = 30
//
// The segments are [lan], [access] and [server], the directions up (towards the
// server) and down. What a direction can do stands at the fields of [Line].
// Beside them there are
//
//	[nat]        mapping = "EIM|ADM|APDM|none", filtering = "EIF|ADF|APDF",
//	             ports = "preserve|random|sequential", lifetime_s, hairpin,
//	             refresh_inbound, alg       (the home router; see [NATSpec])
//	[cgnat]      the same for the provider's; its presence switches it on
//	[ipv6]       on = true, or name_only = true (the name has it, the home has not)
//	[dns]        delay_ms, says, dead_first, search, hijacks, fails = "silent|servfail|
//	             nxdomain|refused|silent_aaaa|truncated|hidden|hidden_nxdomain"; see [DNSSpec]
//	[portal]     a guest network before its login page, see [PortalSpec]
//	[proxy]      has to be asked, see [ProxySpec]
//	[inspection] opens TLS, see [InspectionSpec]
//	[stun]       a STUN server that answers badly, see [STUNSpec]
//	[collector]  what is wrong at our own site, see [CollectorSpec]
//	[home]       the participant's computer and what is asked of it, see [HomeSpec]
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
// Before each check the bench waits until the machine is quiet (see awaitQuiet);
// no check is repeated because of what it found.
//
// TONPROBE_BENCH_MATRIX=file appends the tables as Markdown to a file,
// TONPROBE_BENCH_DOCUMENT=file replaces the tables in a document,
// TONPROBE_BENCH_REPORTS=folder keeps the reports there, and what was on the wire,
// TONPROBE_BENCH_WORLDS=n runs n worlds side by side (2 without it),
// TONPROBE_BENCH_QUIET=d waits at most d for a quiet machine (20s without it).
// Files are named from this folder, or in full.
// Namespaces and devices carry the process's number in their names; those of
// dead processes are removed at the start.
package netbench
