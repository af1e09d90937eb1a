package netbench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespacePrefix and the process ID are the beginning of each namespace's name.
const namespacePrefix = "tonbench-"

const (
	namespaceDir = "/run/netns"
	resolverDir  = "/etc/netns" // ip-netns(8): files here replace those in /etc
)

var worldsMade atomic.Int64 // makes names unique within the process

// namespaces contains the four namespaces of one world.
type namespaces struct {
	names   [hosts]string
	devices [hosts]string
	wifi    string // name of the home's device if it is not a tunnel
}

func newNames() *namespaces {
	n := &namespaces{}
	k := worldsMade.Add(1)
	for i, host := range hostNames {
		n.names[i] = fmt.Sprintf("%s%d-%d-%s", namespacePrefix, os.Getpid(), k, host)
		n.devices[i] = fmt.Sprintf("tb%dw%d%s", os.Getpid(), k, host[:1]) // at most 15 bytes
	}
	// The prefix means Wi-Fi (systemd.net-naming-scheme(7)). As a TUN device it
	// would be reported as a VPN.
	n.wifi = fmt.Sprintf("wl%dw%d", os.Getpid(), k)
	n.devices[atHome] = n.wifi
	return n
}

// possibleNamespaces tries to create a namespace.
func possibleNamespaces() error {
	name := fmt.Sprintf("%s%d-try", namespacePrefix, os.Getpid())
	if err := ip(context.Background(), "netns", "add", name); err != nil {
		return fmt.Errorf("network namespaces: %w", err)
	}
	return ip(context.Background(), "netns", "delete", name)
}

// RemoveStale removes the remains of a killed bench. Its TUN devices disappeared
// with its descriptors, its programs with the process.
func RemoveStale(ctx context.Context) error {
	own := regexp.MustCompile("^" + regexp.QuoteMeta(namespacePrefix) + `(\d+)-`)
	var errs []error
	for _, dir := range []string{namespaceDir, resolverDir} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // no such folder
		}
		for _, e := range entries {
			m := own.FindStringSubmatch(e.Name())
			if m == nil || isAlive(m[1]) {
				continue
			}
			errs = append(errs, removeNamespace(ctx, e.Name()))
		}
	}
	return errors.Join(errs...)
}

func isAlive(pid string) bool {
	n, err := strconv.Atoi(pid)
	return err == nil && unix.Kill(n, 0) != unix.ESRCH
}

func removeNamespace(ctx context.Context, name string) error {
	err := os.RemoveAll(filepath.Join(resolverDir, name))
	if _, statErr := os.Stat(filepath.Join(namespaceDir, name)); statErr != nil {
		return err
	}
	return errors.Join(err, ip(ctx, "netns", "delete", name))
}

// make creates the namespaces and moves the existing devices into them.
func (n *namespaces) make(ctx context.Context) error {
	for i, name := range n.names {
		if err := ip(ctx, "netns", "add", name); err != nil {
			return err
		}
		for _, args := range [][]string{
			{"link", "set", n.devices[i], "netns", name},
			{"-n", name, "link", "set", "lo", "up"},
			// No automatic address, whose traffic would be part of the truth.
			{"-n", name, "link", "set", n.devices[i], "addrgenmode", "none"},
			{"-n", name, "link", "set", n.devices[i], "up"},
		} {
			if err := ip(ctx, args...); err != nil {
				return err
			}
		}
	}
	return n.addressOthers(ctx)
}

// addressOthers assigns the addresses of all hosts but the home, which are the same
// in every scenario.
func (n *namespaces) addressOthers(ctx context.Context) error {
	for host, addrs := range map[int][]netip.Addr{
		atGateway: {privateGateway, publicGateway, gateway6Addr},
		atISP:     {ispAddr, isp6Addr},
		atServer:  {serverAddr, serverOther, server6Addr},
	} {
		if err := n.address(ctx, host, netip.Addr{}, addrs...); err != nil {
			return err
		}
	}
	return nil
}

// address replaces a host's addresses and its default routes. A TUN device does not
// resolve neighbours, so the gateway may have any address.
func (n *namespaces) address(ctx context.Context, host int, gateway netip.Addr, addrs ...netip.Addr) error {
	name, device := n.names[host], n.devices[host]
	commands := [][]string{
		{"link", "set", device, "up"}, // a scenario may have disabled it
		{"addr", "flush", "dev", device},
		{"-6", "route", "flush", "dev", device},
		{"-4", "route", "flush", "type", "unreachable"},
		{"-6", "route", "flush", "type", "unreachable"},
	}
	families := map[string]bool{}
	for _, a := range addrs {
		bits, family := "/32", "-4"
		switch {
		case a.Is6() && gateway.IsValid():
			bits, family = "/64", "-6"
		case a.Is6():
			bits, family = "/128", "-6"
		case gateway.IsValid():
			bits = "/24"
		}
		families[family] = true
		add := []string{"addr", "add", a.String() + bits, "dev", device}
		if a.Is6() {
			add = append(add, "nodad") // no duplicate address detection
		}
		commands = append(commands, add)
	}
	for family := range families {
		commands = append(commands, n.defaultRoute(host, family, gateway))
	}
	for _, c := range commands {
		if err := ip(ctx, append([]string{"-n", name}, c...)...); err != nil {
			return err
		}
	}
	return nil
}

func (n *namespaces) defaultRoute(host int, family string, gateway netip.Addr) []string {
	route := []string{family, "route", "replace", "default", "dev", n.devices[host]}
	if gateway.IsValid() && family == "-6" {
		gateway = gateway6Addr
	}
	if gateway.IsValid() {
		route = append(route, "via", gateway.String(), "onlink")
	}
	return route
}

// lack removes addresses and routes from a host as HomeSpec says.
func (n *namespaces) lack(ctx context.Context, host int, what string) error {
	device := n.devices[host]
	noRoute := [][]string{{"-4", "route", "del", "default"}, {"-6", "route", "flush", "dev", device, "to", "default"}}
	var commands [][]string
	switch what {
	case "link":
		commands = [][]string{{"link", "set", device, "down"}}
	case "address":
		commands = [][]string{{"addr", "flush", "dev", device}}
	case "lease":
		// Some systems even set a default route for such an address
		// (avahi-autoipd(8)).
		commands = [][]string{
			{"addr", "flush", "dev", device}, {"addr", "add", "169.254.77.20/16", "dev", device},
			{"-4", "route", "replace", "default", "dev", device},
		}
	case "route":
		commands = noRoute
	case "ipv4_route", "ipv6_route":
		family := "-" + what[3:4]
		commands = [][]string{{family, "route", "flush", "dev", device, "to", "default"}, {family, "route", "add", "unreachable", "default"}}
	}
	for _, c := range commands {
		if err := ip(ctx, append([]string{"-n", n.names[host]}, c...)...); err != nil {
			return err
		}
	}
	return nil
}

// pull disables a host's interface, like a pulled cable; plug enables it again with
// its routes.
func (n *namespaces) pull(ctx context.Context, host int) error {
	return ip(ctx, "-n", n.names[host], "link", "set", n.devices[host], "down")
}

func (n *namespaces) plug(ctx context.Context, host int, gateway netip.Addr, addrs ...netip.Addr) error {
	return n.address(ctx, host, gateway, addrs...)
}

// nameHome renames the home's device to a name of a Wi-Fi device or of a tunnel. A
// device must be down to be renamed.
func (n *namespaces) nameHome(ctx context.Context, tunnel bool) error {
	name, old := n.wifi, n.devices[atHome]
	if tunnel {
		name = "tun0"
	}
	if name == old {
		return nil
	}
	for _, args := range [][]string{{"link", "set", old, "down"}, {"link", "set", old, "name", name}} {
		if err := ip(ctx, append([]string{"-n", n.names[atHome]}, args...)...); err != nil {
			return err
		}
	}
	n.devices[atHome] = name
	return nil
}

// allowPings permits or forbids programs of a host to send echo requests
// (ping_group_range, icmp(7)). A new namespace permits none, while desktops permit
// all (systemd's 50-default.conf).
func (n *namespaces) allowPings(host int, allowed bool) error {
	groups := "1 0" // an empty range
	if allowed {
		groups = "0 2147483647"
	}
	return n.within(host, func() error {
		return os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte(groups), 0o644)
	})
}

// setResolver sets the resolv.conf(5) of programs started in a host from now on.
func (n *namespaces) setResolver(host int, file string) error {
	dir := filepath.Join(resolverDir, n.names[host])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "resolv.conf"), []byte(file), 0o644)
}

// setHosts sets the hosts(5) of programs started in a host from now on: the server has
// no name server.
func (n *namespaces) setHosts(host int, names []string, at netip.Addr) error {
	dir := filepath.Join(resolverDir, n.names[host])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file := "127.0.0.1 localhost\n" + at.String() + " " + strings.Join(names, " ") + "\n"
	return os.WriteFile(filepath.Join(dir, "hosts"), []byte(file), 0o644)
}

func (n *namespaces) remove(ctx context.Context) error {
	var errs []error
	for _, name := range n.names {
		errs = append(errs, removeNamespace(ctx, name))
	}
	return errors.Join(errs...)
}

// within runs f on a thread in a host's namespace. Sockets remain in the namespace
// in which they were created, so other goroutines may use those that f creates; f
// itself must not start goroutines that create sockets.
func (n *namespaces) within(host int, f func() error) error {
	done := make(chan error, 1)
	go func() {
		// Not unlocked if the namespace cannot be restored: the thread then ends
		// with the goroutine.
		runtime.LockOSThread()
		done <- func() error {
			back, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				return fmt.Errorf("open the current namespace: %w", err)
			}
			defer func() { _ = unix.Close(back) }()
			there, err := unix.Open(filepath.Join(namespaceDir, n.names[host]), unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				return fmt.Errorf("open namespace %s: %w", n.names[host], err)
			}
			defer func() { _ = unix.Close(there) }()
			if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("enter namespace %s: %w", n.names[host], err)
			}
			err = f()
			if unix.Setns(back, unix.CLONE_NEWNET) == nil {
				runtime.UnlockOSThread()
			}
			return err
		}()
	}()
	return <-done
}

// in returns a command that runs a program in a namespace. It is killed with this
// process.
func in(ctx context.Context, namespace, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", namespace, program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func ip(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
