//go:build !linux || !(amd64 || arm64)

package arrival

import (
	"errors"
	"net"
)

const oobBytes = 0

func askKernel(*net.UDPConn) error { return errors.ErrUnsupported }

func kernelTime([]byte) (int64, bool) { return 0, false }
