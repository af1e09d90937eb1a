//go:build !linux && !darwin && !windows

package adapter

import (
	"net"
	"net/netip"
)

func describe(*Adapter, net.Interface, netip.Addr) {}
