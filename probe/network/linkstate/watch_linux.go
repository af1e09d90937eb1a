package linkstate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// groups are the multicast groups of rtnetlink(7) for interfaces, addresses and routes.
var groups = [...]uint32{
	unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
}

func watch(ctx context.Context, changed chan<- struct{}) error {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return fmt.Errorf("open rtnetlink: %w", err)
	}
	defer func() { _ = conn.Close() }()
	for _, g := range groups {
		if err := conn.JoinGroup(g); err != nil {
			return fmt.Errorf("join a group of rtnetlink: %w", err)
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		// The content is not needed. ENOBUFS means that events were dropped, so there was
		// a change as well.
		if _, err := conn.Receive(); err != nil && !isOverrun(err) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("receive the changes of the network: %w", err)
		}
		notify(changed)
	}
}

func isOverrun(err error) bool { return errors.Is(err, unix.ENOBUFS) }

// switchedOff reads the switches of the radios (Documentation/ABI/stable/sysfs-class-rfkill).
func switchedOff(root string) bool {
	dirs, _ := filepath.Glob(filepath.Join(root, "sys/class/rfkill/*"))
	for _, dir := range dirs {
		if line(dir, "type") == "wlan" && (line(dir, "soft") == "1" || line(dir, "hard") == "1") {
			return true
		}
	}
	return false
}

func line(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
