package crash

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// plugged returns what the kernel writes about a new device.
func plugged(at, port, number, ids, product string) []string {
	vendor, id, _ := strings.Cut(ids, ":")
	lines := []string{
		at + " kernel usb " + port + ": new full-speed USB device number " + number + " using xhci_hcd",
		at + " kernel usb " + port + ": New USB device found, idVendor=" + vendor + ", idProduct=" + id + ", bcdDevice= 0.01",
		at + " kernel usb " + port + ": New USB device strings: Mfr=1, Product=2, SerialNumber=3",
	}
	if product != "" {
		lines = append(lines, at+" kernel usb "+port+": Product: "+product)
	}
	return lines
}

func TestUSBSound(t *testing.T) {
	gone := func(at, port, number string) []string {
		return []string{at + " kernel usb " + port + ": USB disconnect, device number " + number}
	}
	for name, c := range map[string]struct {
		lines   [][]string
		present map[usbKey]usbDevice
		want    []string
	}{
		"loose plug": {lines: [][]string{
			plugged("-3000", "3-3", "3", "0a67:11c0", "USB Audio Device"), gone("0", "3-3", "3"), plugged("2", "3-3", "24", "0a67:11c0", "USB Audio Device"),
		}, want: []string{"device_unplugged  usb_disconnect 2s"}},
		"headset behind a hub": {lines: [][]string{
			gone("0", "3-2", "7"), gone("0", "3-2.1", "8"),
			plugged("4", "3-2", "9", "0a12:4010", ""), plugged("5", "3-2.1", "10", "0b0e:24c8", "Jabra Link 380"),
		}, want: []string{"device_unplugged  usb_disconnect 5s"}},
		"in use, and not back": {lines: [][]string{
			gone("0", "1-1.4", "3"), gone("0", "1-1.4.4", "6"), {
				"0.1 kernel usb 1-1.4.4: Unable to submit urb #2: -19 at snd_usb_queue_pending_output_urbs",
				"0.1 kernel usb 1-1.4.4: cannot submit urb 0, error -19: no device",
				"0.1 kernel usb 1-1.4.4: 1:0: usb_set_interface failed (-19)",
				"0.2 kernel usb 1-1.4.4: uac_clock_source_is_valid(): cannot get clock validity for id 9",
			},
		}, want: []string{"device_unplugged  usb_disconnect"}},
		"hub with another driver": {lines: [][]string{
			{"0 kernel r8152-cfgselector 6-2.6: USB disconnect, device number 3"}, plugged("8", "6-2.6", "4", "0bda:8153", "USB 10/100/1000 LAN"),
		}, want: []string{}},
		"reset": {
			lines:   [][]string{{"0 kernel usb 1-8: reset full-speed USB device number 5 using xhci_hcd"}},
			present: map[usbKey]usbDevice{{"1-8", "5"}: {sound: true}},
			want:    []string{"device_unplugged  usb_reset"},
		},
		"returned, by its class": {
			lines:   [][]string{gone("0", "1-8", "5"), plugged("3", "1-8", "6", "046d:0a44", "H390")},
			present: map[usbKey]usbDevice{{"1-8", "6"}: {sound: true}},
			want:    []string{"device_unplugged  usb_disconnect 3s"},
		},
		"known by its driver": {lines: [][]string{
			plugged("-60", "1-8", "5", "046d:0a44", "H390"), {"-59 kernel usb 1-8: 1:1: cannot get freq at ep 0x84"},
			gone("0", "1-8", "5"), plugged("3", "1-8", "6", "046d:0a44", "H390"),
		}, want: []string{"device_unplugged  usb_disconnect 3s"}},
		"camera in use": {lines: [][]string{
			plugged("-60", "1-8", "5", "046d:082d", "HD Pro Webcam C920"), {"-59 kernel usb 1-8: 3:1: cannot get freq at ep 0x82"},
			gone("0", "1-8", "5"), plugged("3", "1-8", "6", "046d:082d", "HD Pro Webcam C920"),
		}, want: []string{"device_unplugged  usb_disconnect 3s"}},

		"put away": {lines: [][]string{plugged("-3000", "3-3", "3", "0b0e:0420", "Jabra SPEAK 510 USB"), gone("0", "3-3", "3")}, want: []string{}},
		"put away, and plugged in later": {lines: [][]string{
			plugged("-3000", "3-3", "3", "0b0e:0420", "Jabra SPEAK 510 USB"), gone("0", "3-3", "3"), plugged("3600", "3-3", "4", "0b0e:0420", "Jabra SPEAK 510 USB"),
		}, want: []string{}},
		"mouse": {lines: [][]string{
			plugged("-60", "1-1", "5", "046d:c077", "USB Optical Mouse"), gone("0", "1-1", "5"), plugged("2", "1-1", "6", "046d:c077", "USB Optical Mouse"),
		}, want: []string{}},
		"headset instead of a mouse": {lines: [][]string{
			plugged("-60", "1-1", "5", "046d:c077", "USB Optical Mouse"), gone("0", "1-1", "5"), plugged("20", "1-1", "6", "0b0e:0420", "Jabra SPEAK 510 USB"),
		}, want: []string{}},
		"memory stick": {lines: [][]string{gone("0", "2-1", "4"), plugged("9", "2-1", "5", "0781:5581", "Ultra")}, want: []string{}},
		"camera that wakes": {
			lines:   [][]string{{"0 kernel usb 1-5: reset high-speed USB device number 4 using xhci_hcd"}},
			present: map[usbKey]usbDevice{{"1-5", "4"}: {sound: true, camera: true}},
			want:    []string{},
		},
		"another device at the port now": {
			lines:   [][]string{{"0 kernel usb 1-5: reset full-speed USB device number 4 using xhci_hcd"}},
			present: map[usbKey]usbDevice{{"1-5", "9"}: {sound: true}},
			want:    []string{},
		},
		"sleep": {lines: [][]string{
			plugged("-60", "1-5", "5", "0b0e:0420", "Jabra SPEAK 510 USB"), {"0 kernel PM: suspend entry (s2idle)", "3600 kernel PM: suspend exit"},
			{"3601 kernel usb 1-5: reset full-speed USB device number 5 using xhci_hcd"}, gone("3602", "1-5", "5"), plugged("3603", "1-5", "6", "0b0e:0420", "Jabra SPEAK 510 USB"),
		}, want: []string{}},
		"start of the system": {
			lines:   [][]string{{"-3590 kernel usb 1-8: reset full-speed USB device number 5 using xhci_hcd"}}, // 10 s after it
			present: map[usbKey]usbDevice{{"1-8", "5"}: {sound: true}},
			want:    []string{},
		},
	} {
		var lines []string
		for _, l := range c.lines {
			lines = append(lines, l...)
		}
		events, err := parseJournal(strings.NewReader(journalLines(lines...)), c.present)
		if got := timedTexts(merge(events), report.EventDeviceUnplugged); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
		for _, e := range events {
			if !e.Valid() {
				t.Errorf("%s: a report cannot hold %+v", name, e)
			}
		}
	}
}

// TestLoosePlugDoesNotDisplaceEvents: a device that connects again every 20 s for a day.
func TestLoosePlugDoesNotDisplaceEvents(t *testing.T) {
	var lines []string
	for i := range 4000 {
		at := func(s int) string { return strconv.Itoa(20*i + s) }
		lines = append(lines, at(0)+" kernel usb 1-1: USB disconnect, device number "+strconv.Itoa(i%120))
		lines = append(lines, plugged(at(2), "1-1", strconv.Itoa((i+1)%120), "0b0e:24c8", "Jabra Link 380")...)
	}
	events, err := parseJournal(strings.NewReader(journalLines(lines...)), nil)
	if err != nil || len(events) != maxUSBLosses {
		t.Errorf("got %d events, %v; want %d", len(events), err, maxUSBLosses)
	}
}

func TestPresentUSB(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, "sys/bus/usb/devices", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1-8/devnum", "5\n")
	write("1-8:1.0/bInterfaceClass", "01\n")
	write("1-8:1.3/bInterfaceClass", "03\n")
	write("1-5/devnum", "4\n")
	write("1-5:1.0/bInterfaceClass", "0e\n")
	write("1-5:1.2/bInterfaceClass", "01\n")
	write("1-6:1.0/bInterfaceClass", "01\n") // just removed
	want := map[usbKey]usbDevice{{"1-8", "5"}: {sound: true}, {"1-5", "4"}: {sound: true, camera: true}}
	if got := presentUSB(root); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := presentUSB(filepath.Join(root, "none")); len(got) != 0 {
		t.Errorf("without sysfs: got %v, want nothing", got)
	}
}
