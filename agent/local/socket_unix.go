//go:build unix

package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// listen opens the socket. Everybody may connect; the peer's account is checked
// afterwards.
func listen(address string) (net.Listener, error) {
	dir := filepath.Dir(address)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := trusted(dir, uint32(os.Geteuid())); err != nil {
		return nil, err
	}
	if err := removeStale(address); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", address)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(address, 0o666); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale removes a socket that a killed service has left. It is an error if somebody
// still listens, or if the file is something else.
func removeStale(address string) error {
	info, err := os.Lstat(address)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is not a socket", address)
	}
	conn, err := net.Dial("unix", address)
	if err == nil {
		return errors.Join(fmt.Errorf("another service is listening on %s", address), conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(address)
}

// trusted returns an error if anybody but the administrator, this account and owner could
// replace the files of a folder.
func trusted(dir string, owner uint32) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: owner unknown", dir)
	}
	if mine := uint32(os.Geteuid()); st.Uid != 0 && st.Uid != mine && st.Uid != owner || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%w: %s is writable by others", ErrForeignSocket, dir)
	}
	return nil
}

// dial connects to the service and verifies its identity: the process that listens must
// own the socket, in a folder that nobody else can write to.
func dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", address)
	if err != nil {
		return nil, err
	}
	if err := verify(conn, address); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func verify(conn net.Conn, address string) error {
	uid, err := uidOf(conn)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(address, &st); err != nil {
		return err
	}
	if st.Uid != uid && uid != 0 {
		return fmt.Errorf("%w: user %d listens, user %d owns the file", ErrForeignSocket, uid, st.Uid)
	}
	return trusted(filepath.Dir(address), uid)
}

// peerOf returns the account at the other end. The service's own account counts as an
// administrator: it belongs to a person who runs the service in the foreground.
func peerOf(conn net.Conn) (Peer, error) {
	uid, err := uidOf(conn)
	if err != nil {
		return Peer{}, err
	}
	admin := uid == 0 || uid == uint32(os.Geteuid())
	return Peer{Account: fmt.Sprint(uid), Admin: admin, Person: admin || isPerson(uid)}, nil
}

// control calls do with the descriptor of a connection.
func control(conn net.Conn, do func(fd int) error) error {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return errors.New("the connection has no file descriptor")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = do(int(fd)) }); err != nil {
		return err
	}
	return inner
}
