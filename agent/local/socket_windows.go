package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// access is the access list of the pipe in SDDL: nobody over the network (NU), everything
// for SYSTEM (SY), the administrators (BA) and the owner (OW), and for the users who are
// signed in (IU) reading and writing (0x12019b is FILE_GENERIC_READ and
// FILE_GENERIC_WRITE without FILE_CREATE_PIPE_INSTANCE, which would let them take the
// service's place).
const access = "D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)(A;;0x12019b;;;IU)"

const pipeBuffer = 64 << 10

// listen creates the pipe. It fails if the name is taken, so nobody can share it.
func listen(address string) (net.Listener, error) {
	return winio.ListenPipe(address, &winio.PipeConfig{
		SecurityDescriptor: access, InputBufferSize: pipeBuffer, OutputBufferSize: pipeBuffer,
	})
}

// dial connects to the service and verifies that the pipe belongs to it. The service
// cannot act on behalf of the program: winio connects anonymously.
func dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := winio.DialPipeContext(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := verify(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// serviceAccount is the virtual account of the service.
const serviceAccount = `NT SERVICE\tonprobe`

// fdConn is implemented by the connections of winio.
type fdConn interface{ Fd() uintptr }

// verify checks that the owner of the pipe is an account of the system or this one.
func verify(conn net.Conn) error {
	c, ok := conn.(fdConn)
	if !ok {
		return errors.New("the pipe has no handle")
	}
	sd, err := windows.GetSecurityInfo(windows.Handle(c.Fd()), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read the pipe's owner: %w", err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("read the pipe's owner: %w", err)
	}
	if mine, err := windows.GetCurrentProcessToken().GetTokenUser(); err == nil && owner.Equals(mine.User.Sid) {
		return nil
	}
	if slices.ContainsFunc([]windows.WELL_KNOWN_SID_TYPE{
		windows.WinLocalSystemSid, windows.WinBuiltinAdministratorsSid, windows.WinLocalServiceSid,
	}, owner.IsWellKnown) {
		return nil
	}
	if service, _, _, err := windows.LookupSID("", serviceAccount); err == nil && owner.Equals(service) {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrForeignSocket, owner)
}

// peerOf returns the session of the client: the access list has already excluded
// everybody who is not signed in. No peer counts as an administrator, because clients
// connect anonymously.
func peerOf(conn net.Conn) (Peer, error) {
	c, ok := conn.(fdConn)
	if !ok {
		return Peer{}, errors.New("the pipe has no handle")
	}
	var process, session uint32
	err := windows.GetNamedPipeClientProcessId(windows.Handle(c.Fd()), &process)
	if err == nil {
		err = windows.ProcessIdToSessionId(process, &session)
	}
	if err != nil {
		return Peer{}, fmt.Errorf("find the client's session: %w", err)
	}
	return Peer{Account: "session " + strconv.FormatUint(uint64(session), 10), Person: true}, nil
}
