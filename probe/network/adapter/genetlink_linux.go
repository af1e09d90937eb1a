package adapter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/sys/unix"
)

// genetlink queries generic netlink families of the kernel (netlink(7)), limited to one request and its responses.
type genetlink struct {
	fd  int
	seq uint32
}

// message is one response without its headers.
type message struct {
	command    uint8
	attributes []byte
}

// kernelWaitUS limits the wait for the kernel, which responds at once.
const kernelWaitUS = 500_000

func dialGenetlink() (*genetlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_GENERIC)
	if err != nil {
		return nil, fmt.Errorf("open generic netlink: %w", err)
	}
	c := &genetlink{fd: fd}
	wait := unix.NsecToTimeval(kernelWaitUS * 1000)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait)); err != nil {
		c.close()
		return nil, fmt.Errorf("prepare generic netlink: %w", err)
	}
	return c, nil
}

func (c *genetlink) close() { _ = unix.Close(c.fd) }

// family returns the number of a family on this computer.
func (c *genetlink) family(name string) (uint16, error) {
	answers, err := c.ask(unix.GENL_ID_CTRL, unix.CTRL_CMD_GETFAMILY, 0, attribute(unix.CTRL_ATTR_FAMILY_NAME, append([]byte(name), 0)))
	if err != nil {
		return 0, err
	}
	for _, m := range answers {
		for kind, value := range attributes(m.attributes) {
			if kind == unix.CTRL_ATTR_FAMILY_ID && len(value) >= 2 {
				return binary.NativeEndian.Uint16(value), nil
			}
		}
	}
	return 0, errNoFamily
}

// ask sends one command and reads its responses.
func (c *genetlink) ask(family uint16, command uint8, flags uint16, attributes []byte) ([]message, error) {
	c.seq++
	request := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+unix.GENL_HDRLEN+len(attributes)))
	request = binary.NativeEndian.AppendUint16(request, family)
	request = binary.NativeEndian.AppendUint16(request, unix.NLM_F_REQUEST|unix.NLM_F_ACK|flags)
	request = binary.NativeEndian.AppendUint32(request, c.seq)
	request = binary.NativeEndian.AppendUint32(request, 0)
	request = append(request, command, 1, 0, 0)
	request = append(request, attributes...)
	if err := unix.Sendto(c.fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("ask the kernel: %w", err)
	}
	var all []message
	b := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(c.fd, b, 0)
		if err != nil {
			return nil, fmt.Errorf("wait for the kernel: %w", err)
		}
		some, over, err := parseMessages(b[:n], c.seq)
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); over {
			return all, nil
		}
	}
}

// parseMessages parses a datagram: headers of netlink and of generic netlink before each response, an acknowledgement or an
// end marker after the last.
func parseMessages(b []byte, seq uint32) (all []message, over bool, err error) {
	for len(b) >= unix.NLMSG_HDRLEN {
		size := int(binary.NativeEndian.Uint32(b))
		kind, answers := binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:])
		if size < unix.NLMSG_HDRLEN || size > len(b) {
			return nil, false, errors.New("a message of the kernel is cut off")
		}
		body := b[unix.NLMSG_HDRLEN:size]
		b = b[min(aligned(size), len(b)):]
		switch {
		case answers != seq: // response to an earlier request
		case kind == unix.NLMSG_DONE:
			return all, true, nil
		case kind == unix.NLMSG_ERROR:
			if len(body) < 4 {
				return nil, false, errors.New("an error of the kernel is cut off")
			}
			if number := int32(binary.NativeEndian.Uint32(body)); number != 0 {
				return nil, false, unix.Errno(-number)
			}
			return all, true, nil
		case len(body) >= unix.GENL_HDRLEN:
			all = append(all, message{body[0], append([]byte(nil), body[unix.GENL_HDRLEN:]...)})
		}
	}
	return all, false, nil
}

// attributes returns the attributes in b by type, without the flags for nesting and byte order. A truncated one ends them.
func attributes(b []byte) iter.Seq2[uint16, []byte] {
	const header, typeMask = 4, 0x3fff
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= header {
			size, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])&typeMask
			if size < header || size > len(b) || !yield(kind, b[header:size]) {
				return
			}
			b = b[min(aligned(size), len(b)):]
		}
	}
}

// attribute encodes one attribute.
func attribute(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, aligned(len(b))-len(b))...)
}

// aligned returns a length padded to four bytes (NLMSG_ALIGN, NLA_ALIGN).
func aligned(n int) int { return (n + 3) &^ 3 }
