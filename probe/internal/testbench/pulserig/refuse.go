//go:build unix

package pulserig

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// Error codes of the native protocol (pulse/def.h, pa_error_code) in reply to a
// stream request. PulseAudio itself sends them only with real hardware or a sandbox;
// PipeWire's server uses the same numbers.
const (
	ErrAccess   = 1
	ErrTooLarge = 18
	ErrBusy     = 26
)

// Frames of the native protocol: a header of five words, of which the first is the
// length and the second the channel, followed in a command by two tagged numbers.
const (
	headBytes           = 20
	controlChannel      = 0xFFFFFFFF
	commandError        = 0
	commandRecordStream = 5 // PA_COMMAND_CREATE_RECORD_STREAM
	tagU32              = 'L'
)

// Refuse inserts a proxy before the server, to which the processes of Env connect from
// now on. It forwards everything, but replies to each request for a recording stream with
// the error code.
func (r *Rig) Refuse(code uint32) {
	r.tb.Helper()
	path := filepath.Join(r.dir, "refusing")
	listener, err := net.Listen("unix", path)
	if err != nil {
		r.tb.Fatal(err)
	}
	// Shared memory would pass file descriptors around the proxy.
	config := filepath.Join(r.dir, "client.conf")
	if err := os.WriteFile(config, []byte("enable-shm = no\nenable-memfd = no\nautospawn = no\n"), 0o600); err != nil {
		r.tb.Fatal(err)
	}
	server := r.socket()
	r.front, r.clientConfig = path, config
	r.tb.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go refuseRecording(client, server, code)
		}
	}()
}

func refuseRecording(client net.Conn, server string, code uint32) {
	defer client.Close()
	upstream, err := net.Dial("unix", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	var answering sync.Mutex // writes whole frames only
	go func() {
		defer client.Close()
		passFrames(upstream, func(frame []byte) error {
			answering.Lock()
			defer answering.Unlock()
			_, err := client.Write(frame)
			return err
		})
	}()
	passFrames(client, func(frame []byte) error {
		if command, tag, ok := commandOf(frame); ok && command == commandRecordStream {
			answering.Lock()
			defer answering.Unlock()
			_, err := client.Write(errorFrame(tag, code))
			return err
		}
		_, err := upstream.Write(frame)
		return err
	})
}

// passFrames reads frames until the end of the stream or an error of pass.
func passFrames(from io.Reader, pass func(frame []byte) error) {
	for {
		frame := make([]byte, headBytes)
		if _, err := io.ReadFull(from, frame); err != nil {
			return
		}
		frame = append(frame, make([]byte, binary.BigEndian.Uint32(frame))...)
		if _, err := io.ReadFull(from, frame[headBytes:]); err != nil {
			return
		}
		if pass(frame) != nil {
			return
		}
	}
}

func commandOf(frame []byte) (command, tag uint32, ok bool) {
	body := frame[headBytes:]
	if binary.BigEndian.Uint32(frame[4:]) != controlChannel || len(body) < 10 || body[0] != tagU32 || body[5] != tagU32 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(body[1:]), binary.BigEndian.Uint32(body[6:]), true
}

func errorFrame(tag, code uint32) []byte {
	frame := make([]byte, headBytes)
	for _, v := range []uint32{commandError, tag, code} {
		frame = binary.BigEndian.AppendUint32(append(frame, tagU32), v)
	}
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-headBytes))
	binary.BigEndian.PutUint32(frame[4:], controlChannel)
	return frame
}
