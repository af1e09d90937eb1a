package osstate

import (
	"encoding/binary"
	"slices"
	"strings"
)

// parseWaveFormat reads the rate and the channels of a WAVEFORMATEX (mmreg.h),
// as Windows keeps it in PKEY_AudioEngine_DeviceFormat.
func parseWaveFormat(b []byte) (rateHz, channels int, ok bool) {
	if len(b) < 16 {
		return 0, 0, false
	}
	channels = int(binary.LittleEndian.Uint16(b[2:]))
	rateHz = int(binary.LittleEndian.Uint32(b[4:]))
	return rateHz, channels, channels > 0 && rateHz > 0
}

// bufferListChannels adds up the channels of an AudioBufferList
// (CoreAudioTypes.h), which macOS gives for a device's stream configuration:
// a count, 4 bytes of padding, then 16 bytes each beginning with the channels.
func bufferListChannels(b []byte) (int, bool) {
	if len(b) < 8 {
		return 0, false
	}
	n, channels := int(binary.LittleEndian.Uint32(b)), 0
	if n > (len(b)-8)/16 {
		return 0, false
	}
	for i := range n {
		channels += int(binary.LittleEndian.Uint32(b[8+16*i:]))
	}
	return channels, true
}

// isBluetoothEnumerator tells by the bus driver under which Windows found the
// device: BTHENUM, BTHHFENUM (hands-free), BTHLEENUM.
func isBluetoothEnumerator(name string) bool {
	return strings.HasPrefix(strings.ToUpper(name), "BTH")
}

// isHardwareEnumerator tells the buses on which the name of the adapter comes
// from its driver or USB descriptor. INTELAUDIO is not among them: it serves
// Bluetooth headsets as well.
func isHardwareEnumerator(name string) bool {
	return strings.EqualFold(name, "USB") || strings.EqualFold(name, "HDAUDIO")
}

// fourCC is a four-character code of CoreAudio.
func fourCC(s string) uint32 { return binary.BigEndian.Uint32([]byte(s)) }

// isBluetoothTransport: kAudioDeviceTransportTypeBluetooth and …BluetoothLE.
func isBluetoothTransport(transport uint32) bool {
	return transport == fourCC("blue") || transport == fourCC("blea")
}

// isHardwareTransport: kAudioDeviceTransportTypeBuiltIn, …USB, …PCI, …HDMI and
// …DisplayPort. macOS lets people rename aggregate devices only; those of Bluetooth
// and of a phone nearby carry their owner's name.
func isHardwareTransport(transport uint32) bool {
	return slices.ContainsFunc([]string{"bltn", "usb ", "pci ", "hdmi", "dprt"}, func(t string) bool { return transport == fourCC(t) })
}

// unityVolumeDB is a volume below unity. Amplification, which Windows and
// macOS offer up to some +30 dB, counts as full: what it does to the voice is
// measured in the voice.
func unityVolumeDB(db float64) *float64 { return volumeDB(min(db, 0)) }
