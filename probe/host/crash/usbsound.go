package crash

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Details of a USB sound device that was away.
const (
	detailUSBDisconnect = "usb_disconnect"
	detailUSBReset      = "usb_reset" // by the system, for example after an error of the line
)

const (
	// maxUSBReturn is the time after which a device that returns was plugged in again by a person. One with a
	// loose plug or too little power returns within seconds.
	maxUSBReturn = 2 * time.Minute
	// usbError is the time within which the sound driver reports that a device in use is gone.
	usbError = 5 * time.Second
	// usbStart is the time after the start of the system within which drivers reset devices.
	usbStart = 2 * time.Minute
	// besideSleep is the time around a sleep within which devices are reset and found again.
	besideSleep = time.Minute
	// maxUSBLosses limits the events of a device with a loose plug, which must not displace others.
	maxUSBLosses = 8
)

// usbDevice is one connection of a device, from its plugging in to its removal. Its name is not kept.
type usbDevice struct {
	ids           string // vendor and product
	sound, camera bool
}

// usbKey identifies a connection: the kernel numbers them.
type usbKey struct{ port, number string }

// usbLoss is a device that was removed, or reset.
type usbLoss struct {
	at       time.Time
	was, now usbKey // now is where it returned; zero if it did not
	reset    bool
	inUse    bool
	back     time.Time
}

// usbSound finds the USB sound devices that were away for a short time, or while a program used them, in the
// messages of the kernel. Those that a person puts away are not reported. Its zero value is ready.
type usbSound struct {
	devices map[usbKey]usbDevice
	number  map[string]string // of the latest device by port
	losses  []usbLoss
	sleeps  []time.Time
}

var (
	reUSB       = regexp.MustCompile(`^(?:usb|[a-z0-9]+-cfgselector) (\d+-[\d.]+): (.*)`)
	reUSBNew    = regexp.MustCompile(`^new \S+ USB device number (\d+)`)
	reUSBGone   = regexp.MustCompile(`^USB disconnect, device number (\d+)`)
	reUSBReset  = regexp.MustCompile(`^reset \S+ USB device number (\d+)`)
	reUSBFound  = regexp.MustCompile(`^New USB device found, idVendor=([0-9a-f]{4}), idProduct=([0-9a-f]{4})`)
	reUSBDriver = regexp.MustCompile(`^(?:\d+:\d+: |Unable to submit urb|cannot submit |uac_|clock source \d|parse_audio_|\[\d+\] FU |Warning! Unlikely big volume|cannot get (?:ctl|min/max))`)
	reUSBInUse  = regexp.MustCompile(`submit (?:sync )?urb.*-19|usb_set_interface failed \(-19\)`)
	reUSBName   = regexp.MustCompile(`(?i)headset|headphone|earphone|speak|audio|sound|\bmic\b|microphone|mikrofon|jabra|voice`)
	reUSBCamera = regexp.MustCompile(`(?i)cam\b|camera|webcam|kamera`)
)

// isSoundVendor reports whether a vendor makes only headsets, microphones and sound adapters: GN (Jabra), Poly,
// EPOS, Shure, RØDE, Blue, Yealink, C-Media.
func isSoundVendor(vendor string) bool {
	return slices.Contains([]string{"0b0e", "047f", "1395", "14ed", "19f7", "b58e", "6993", "0d8c"}, vendor)
}

// add adds a message. Messages must be added in their order.
func (u *usbSound) add(at time.Time, up time.Duration, message string) {
	if strings.HasPrefix(message, "PM: suspend e") || strings.HasPrefix(message, "PM: hibernation") {
		u.sleeps = append(u.sleeps, at)
		return
	}
	m := reUSB.FindStringSubmatch(message)
	if m == nil {
		return
	}
	port, text := m[1], m[2]
	if n := reUSBNew.FindStringSubmatch(text); n != nil {
		u.found(at, usbKey{port, n[1]})
		return
	}
	lost, reset := reUSBGone.FindStringSubmatch(text), false
	if lost == nil {
		lost, reset = reUSBReset.FindStringSubmatch(text), true
	}
	if lost != nil {
		if up == 0 || up > usbStart {
			u.lose(usbLoss{at: at, was: usbKey{port, lost[1]}, reset: reset})
		}
		return
	}
	u.describe(at, port, text)
}

// maxUSB limits the devices and losses that are kept.
const maxUSB = 1000

func (u *usbSound) lose(l usbLoss) {
	if len(u.losses) == maxUSB {
		u.losses = slices.Delete(u.losses, 0, maxUSB/2)
	}
	u.losses = append(u.losses, l)
}

func (u *usbSound) found(at time.Time, now usbKey) {
	if u.devices == nil {
		u.devices, u.number = map[usbKey]usbDevice{}, map[string]string{}
	}
	if len(u.devices) == maxUSB {
		clear(u.devices)
	}
	u.devices[now], u.number[now.port] = usbDevice{}, now.number
	for i := range slices.Backward(u.losses) {
		if l := &u.losses[i]; l.was.port == now.port {
			if !l.reset && l.back.IsZero() {
				l.back, l.now = at, now
			}
			return
		}
	}
}

// describe takes what a message says about the device at a port.
func (u *usbSound) describe(at time.Time, port, text string) {
	key := usbKey{port, u.number[port]}
	for i := range slices.Backward(u.losses) {
		l := &u.losses[i]
		if at.Sub(l.at) > usbError {
			break
		}
		if l.was.port == port && l.back.IsZero() { // about the one that is gone
			key = l.was
			l.inUse = l.inUse || reUSBInUse.MatchString(text)
			break
		}
	}
	d := u.devices[key]
	if m := reUSBFound.FindStringSubmatch(text); m != nil {
		d.ids, d.sound = m[1]+":"+m[2], d.sound || isSoundVendor(m[1])
	} else if name, ok := strings.CutPrefix(text, "Product: "); ok {
		d.camera = d.camera || reUSBCamera.MatchString(name)
		d.sound = d.sound || !d.camera && reUSBName.MatchString(name)
	} else if reUSBDriver.MatchString(text) {
		d.sound = true
	} else {
		return
	}
	if u.devices == nil {
		u.devices, u.number = map[usbKey]usbDevice{}, map[string]string{}
	}
	if len(u.devices) < maxUSB {
		u.devices[key] = d
	}
}

// all returns the events. present contains the devices that are plugged in now; it may be nil.
func (u *usbSound) all(present map[usbKey]usbDevice) (events []report.HostEvent) {
	device := func(k usbKey) usbDevice {
		d, p := u.devices[k], present[k]
		d.sound, d.camera = d.sound || p.sound, d.camera || p.camera
		return d
	}
	for _, l := range u.losses {
		if slices.ContainsFunc(u.sleeps, func(at time.Time) bool { return at.Sub(l.at).Abs() <= besideSleep }) {
			continue
		}
		was, now := device(l.was), device(l.now)
		e := report.HostEvent{At: l.at, Kind: report.EventDeviceUnplugged, Detail: detailUSBDisconnect}
		back := !l.back.IsZero() && l.back.Sub(l.at) <= maxUSBReturn && (was.ids == now.ids || was.ids == "" || now.ids == "")
		if back {
			e.DurationS = new(max(0, l.back.Sub(l.at).Seconds()))
		}
		switch {
		case l.reset:
			// A camera is also reset when it wakes from the power saving of USB.
			if !was.sound || was.camera {
				continue
			}
			e.Detail = detailUSBReset
		case !l.inUse && !(back && (was.sound || now.sound)):
			continue
		}
		events = append(events, e)
	}
	return events[max(0, len(events)-maxUSBLosses):]
}

// presentUSB returns the sound devices and cameras that are plugged in now, by the classes of their interfaces.
// There are none without sysfs.
func presentUSB(root string) map[usbKey]usbDevice {
	base := filepath.Join(root, "sys/bus/usb/devices")
	interfaces, err := filepath.Glob(filepath.Join(base, "*:*", "bInterfaceClass"))
	if err != nil {
		return nil
	}
	present := map[usbKey]usbDevice{}
	for _, path := range interfaces {
		class, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		port, _, _ := strings.Cut(filepath.Base(filepath.Dir(path)), ":")
		number, err := os.ReadFile(filepath.Join(base, port, "devnum"))
		if n, bad := strconv.Atoi(strings.TrimSpace(string(number))); err == nil && bad == nil {
			key := usbKey{port, strconv.Itoa(n)}
			d := present[key]
			switch strings.TrimSpace(string(class)) {
			case "01":
				d.sound = true
			case "0e":
				d.camera = true
			}
			present[key] = d
		}
	}
	return present
}
