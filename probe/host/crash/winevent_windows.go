package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Constants of winevt.h.
const (
	evtQueryChannelPath      = 0x1
	evtQueryReverseDirection = 0x200
	evtRenderEventXML        = 1
)

// maxWinEvents limits the events read per channel, newest first.
const maxWinEvents = 500

var (
	wevtapi   = windows.NewLazySystemDLL("wevtapi.dll")
	evtQuery  = wevtapi.NewProc("EvtQuery")
	evtNext   = wevtapi.NewProc("EvtNext")
	evtRender = wevtapi.NewProc("EvtRender")
	evtClose  = wevtapi.NewProc("EvtClose")
)

// readEventLog reads the channels. That of the Wi-Fi service exists only on
// machines with it.
func readEventLog(ctx context.Context, since time.Time) ([]report.HostEvent, error) {
	if err := wevtapi.Load(); err != nil {
		return nil, errAbsent
	}
	var records []winRecord
	var failed error
	for _, q := range winQueries(since, time.Now()) {
		found, err := queryChannel(ctx, q)
		records = append(records, found...)
		if err != nil && !errors.Is(err, windows.ERROR_EVT_CHANNEL_NOT_FOUND) {
			failed = err
		}
	}
	return withoutFailedConnects(winEvents(records, since)), failed
}

func queryChannel(ctx context.Context, q winQuery) ([]winRecord, error) {
	channel, err := windows.UTF16PtrFromString(q.channel)
	if err != nil {
		return nil, fmt.Errorf("encode the name of a channel: %w", err)
	}
	filter, err := windows.UTF16PtrFromString(q.filter)
	if err != nil {
		return nil, fmt.Errorf("write a query: %w", err)
	}
	result, _, err := evtQuery.Call(0, uintptr(unsafe.Pointer(channel)), uintptr(unsafe.Pointer(filter)), evtQueryChannelPath|evtQueryReverseDirection)
	if result == 0 {
		return nil, eventLogError("query the event log", err)
	}
	defer evtClose.Call(result)
	var records []winRecord
	for n := 0; n < maxWinEvents; {
		if err := ctx.Err(); err != nil {
			return records, fmt.Errorf("read the event log: %w", err)
		}
		var handles [16]uintptr
		var got uint32
		const wait = 1000 // ms
		ok, _, err := evtNext.Call(result, uintptr(len(handles)), uintptr(unsafe.Pointer(&handles[0])), wait, 0, uintptr(unsafe.Pointer(&got)))
		if ok == 0 {
			if errors.Is(err, windows.ERROR_NO_MORE_ITEMS) {
				return records, nil
			}
			return records, eventLogError("read the event log", err)
		}
		for _, h := range handles[:got] {
			n++
			if document, err := renderEvent(h); err == nil {
				if found, err := parseWinEvent(document); err == nil {
					records = append(records, found)
				}
			}
			evtClose.Call(h)
		}
	}
	return records, nil
}

// renderEvent returns an event as XML.
func renderEvent(h uintptr) (string, error) {
	buf := make([]uint16, 4096)
	for range 2 {
		var used, properties uint32
		ok, _, err := evtRender.Call(0, h, evtRenderEventXML, uintptr(len(buf)*2), uintptr(unsafe.Pointer(&buf[0])),
			uintptr(unsafe.Pointer(&used)), uintptr(unsafe.Pointer(&properties)))
		if ok != 0 {
			return windows.UTF16ToString(buf[:min(len(buf), int(used/2))]), nil
		}
		const largest = 1 << 20 // bytes
		if !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) || used > largest {
			return "", eventLogError("render an event", err)
		}
		buf = make([]uint16, used/2+1)
	}
	return "", errors.New("render an event: it is too large")
}

func eventLogError(doing string, err error) error {
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		err = fs.ErrPermission
	}
	return fmt.Errorf("%s: %w", doing, err)
}
