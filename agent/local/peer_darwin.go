package local

import (
	"net"

	"golang.org/x/sys/unix"
)

func uidOf(conn net.Conn) (uint32, error) {
	var uid uint32
	err := control(conn, func(fd int) error {
		cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
		if err == nil {
			uid = cred.Uid
		}
		return err
	})
	return uid, err
}

// isPerson reports whether uid is the account of a person: macOS numbers them from 501.
func isPerson(uid uint32) bool { return uid > 500 && uid < 1<<31 }
