package osstate

import (
	"encoding/binary"
	"slices"
	"testing"
)

func TestConsent(t *testing.T) {
	policy := func(v uint64) *uint64 { return &v }
	for name, c := range map[string]struct {
		in   consent
		want *bool
	}{
		"nothing there":                 {consent{}, nil},
		"machine allows, others absent": {consent{Machine: "Allow", User: "Allow"}, nil},
		"all allow":                     {consent{Machine: "Allow", User: "Allow", NonPackaged: "Allow"}, new(false)},
		"machine denies":                {consent{Machine: "Deny", User: "Allow", NonPackaged: "Allow"}, new(true)},
		"user denies":                   {consent{Machine: "Allow", User: "Deny", NonPackaged: "Allow"}, new(true)},
		"desktop programs denied":       {consent{Machine: "Allow", User: "Allow", NonPackaged: "Deny"}, new(true)},
		"policy denies":                 {consent{NonPackaged: "Allow", Policy: policy(2)}, new(true)},
		"policy allows":                 {consent{Policy: policy(1)}, new(false)},
		"policy leaves it open":         {consent{Policy: policy(0)}, nil},
		"user not asked yet":            {consent{Machine: "Allow", User: "Prompt"}, nil},
	} {
		if got := c.in.denied(); !same(got, c.want) {
			t.Errorf("%s: got denied %v, want %v", name, show(got), show(c.want))
		}
	}
}

// TestConsentUses: the keys are as written by Windows 10 and 11; times are FILETIMEs.
func TestConsentUses(t *testing.T) {
	const booted = 133_500_000_000_000_000
	entries := []consentUse{
		{Key: `C:#Program Files#Zoom#bin#Zoom.exe`, Start: booted + 10, Stop: 0},
		{Key: `C:#Users#anna#AppData#Local#AnnasRecorder.exe`, Start: booted + 20, Stop: 0},
		{Key: `MSTeams_8wekyb3d8bbwe`, Start: booted + 30, Stop: booted + 40},        // released
		{Key: `Microsoft.SkypeApp_kzf8qxf38zg5c`, Start: booted - 10, Stop: 0},       // power failure
		{Key: `C:#Program Files#Mozilla Firefox#firefox.exe`},                        // never used a microphone
		{Key: `C:#Program Files#Tonprobe#tonprobe.exe`, Start: booted + 50, Stop: 0}, // this program
	}
	got := consentUses(entries, booted, "Tonprobe.exe")
	if want := []Use{{Program: "Zoom"}, {}}; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	used, program := Uses{Known: true, List: got}.Of("{0.0.1.00000000}.{some-endpoint}")
	if used == nil || !*used || program != "Zoom" {
		t.Errorf("used %v by %q, want true by Zoom", show(used), program)
	}
	if used, _ := (Uses{}).Of(""); used != nil {
		t.Error("a state is reported that this system does not provide")
	}
}

func TestBluetoothCodecNames(t *testing.T) {
	for name, want := range map[string]string{
		"CVSD": "cvsd", "mSBC": "msbc", "msbc": "msbc", "sbc_xq_512": "sbc_xq", "sbc": "sbc", "LC3-SWB": "lc3_swb",
		"aptx_ll_duplex": "aptx_ll", "": "", "annas codec": "",
	} {
		if got := bluetoothCodecName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestAuthorization(t *testing.T) {
	for status, want := range map[int]*bool{0: nil, 1: new(true), 2: new(true), 3: new(false), 9: nil} {
		if got := authorizationDenied(status); !same(got, want) {
			t.Errorf("status %d: %v, want %v", status, show(got), show(want))
		}
	}
}

func same(a, b *bool) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

func show(b *bool) any {
	if b == nil {
		return nil
	}
	return *b
}

// TestParseWaveFormat: the bytes are a WAVEFORMATEXTENSIBLE of mmreg.h.
func TestParseWaveFormat(t *testing.T) {
	hands := []byte{0xFE, 0xFF, 1, 0, 0x80, 0x3E, 0, 0, 0, 0x7D, 0, 0, 2, 0, 16, 0, 22, 0}
	if rate, channels, ok := parseWaveFormat(hands); !ok || rate != 16000 || channels != 1 {
		t.Errorf("%d Hz, %d channels, %v; want 16000 Hz, 1 channel, true", rate, channels, ok)
	}
	for n := range 16 {
		if _, _, ok := parseWaveFormat(hands[:n]); ok {
			t.Errorf("%d bytes were enough, want at least 16", n)
		}
	}
	if _, _, ok := parseWaveFormat(make([]byte, 18)); ok {
		t.Error("zeros were parsed as a format")
	}
}

func TestBufferListChannels(t *testing.T) {
	b := make([]byte, 8+2*16)
	binary.LittleEndian.PutUint32(b, 2)
	binary.LittleEndian.PutUint32(b[8:], 1)
	binary.LittleEndian.PutUint32(b[24:], 2)
	if n, ok := bufferListChannels(b); !ok || n != 3 {
		t.Errorf("%d channels, %v; want 3, true", n, ok)
	}
	if _, ok := bufferListChannels(b[:30]); ok {
		t.Error("a list longer than its data was accepted")
	}
	if _, ok := bufferListChannels(nil); ok {
		t.Error("empty data was accepted")
	}
	if n, ok := bufferListChannels(make([]byte, 8)); !ok || n != 0 {
		t.Error("want an empty list for an output device")
	}
}

func TestBluetooth(t *testing.T) {
	for name, want := range map[string]bool{"BTHENUM": true, "BTHHFENUM": true, "bthleenum": true, "USB": false, "HDAUDIO": false, "": false} {
		if isBluetoothEnumerator(name) != want {
			t.Errorf("%q: got Bluetooth %v, want %v", name, !want, want)
		}
	}
	for code, want := range map[string]bool{"blue": true, "blea": true, "usb ": false, "bltn": false} {
		if isBluetoothTransport(fourCC(code)) != want {
			t.Errorf("%q: got Bluetooth %v, want %v", code, !want, want)
		}
	}
}

func TestUnityVolume(t *testing.T) {
	for in, want := range map[float64]float64{30: 0, 0: 0, -12.5: -12.5, -500: MinVolumeDB} {
		if got := *unityVolumeDB(in); got != want {
			t.Errorf("%v dB: got %v, want %v", in, got, want)
		}
	}
}

// TestHardwareNames tests which devices have a name from the hardware and not from the owner.
func TestHardwareNames(t *testing.T) {
	for name, want := range map[string]bool{"USB": true, "usb": true, "HDAUDIO": true, "INTELAUDIO": false, "BTHENUM": false, "BTHHFENUM": false, "": false} {
		if got := isHardwareEnumerator(name); got != want {
			t.Errorf("enumerator %q: %v, want %v", name, got, want)
		}
	}
	for code, want := range map[string]bool{"bltn": true, "usb ": true, "pci ": true, "hdmi": true, "dprt": true, "blue": false, "blea": false, "grup": false, "virt": false, "ccwd": false} {
		if got := isHardwareTransport(fourCC(code)); got != want {
			t.Errorf("transport %q: %v, want %v", code, got, want)
		}
	}
}
