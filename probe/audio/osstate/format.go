package osstate

import (
	"encoding/binary"
	"slices"
	"strings"
)

// parseWaveFormat reads rate and channels of a WAVEFORMATEX (mmreg.h), which Windows
// stores in PKEY_AudioEngine_DeviceFormat.
func parseWaveFormat(b []byte) (rateHz, channels int, ok bool) {
	if len(b) < 16 {
		return 0, 0, false
	}
	channels = int(binary.LittleEndian.Uint16(b[2:]))
	rateHz = int(binary.LittleEndian.Uint32(b[4:]))
	return rateHz, channels, channels > 0 && rateHz > 0
}

// bufferListChannels returns the total number of channels of an AudioBufferList
// (CoreAudioTypes.h), the stream configuration of a device on macOS: a count, 4 bytes of
// padding, then entries of 16 bytes that begin with the number of channels.
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

// isBluetoothEnumerator recognises the bus driver under which Windows found the
// device: BTHENUM, BTHHFENUM (hands-free), BTHLEENUM.
func isBluetoothEnumerator(name string) bool {
	return strings.HasPrefix(strings.ToUpper(name), "BTH")
}

// isHardwareEnumerator recognises the buses on which the name of the adapter comes
// from its driver or USB descriptor. INTELAUDIO is not one of them: it also serves
// Bluetooth headsets.
func isHardwareEnumerator(name string) bool {
	return strings.EqualFold(name, "USB") || strings.EqualFold(name, "HDAUDIO")
}

// fourCC returns a four-character code of CoreAudio.
func fourCC(s string) uint32 { return binary.BigEndian.Uint32([]byte(s)) }

// isBluetoothTransport recognises kAudioDeviceTransportTypeBluetooth and …BluetoothLE.
func isBluetoothTransport(transport uint32) bool {
	return transport == fourCC("blue") || transport == fourCC("blea")
}

// isHardwareTransport recognises kAudioDeviceTransportTypeBuiltIn, …USB, …PCI, …HDMI
// and …DisplayPort. On macOS only aggregate devices can be renamed; Bluetooth devices and
// nearby phones carry their owner's name.
func isHardwareTransport(transport uint32) bool {
	return slices.ContainsFunc([]string{"bltn", "usb ", "pci ", "hdmi", "dprt"}, func(t string) bool { return transport == fourCC(t) })
}

// unityVolumeDB returns a volume of at most unity. Amplification, which Windows and
// macOS offer up to about +30 dB, counts as unity: its effect is measured in the signal.
func unityVolumeDB(db float64) *float64 { return volumeDB(min(db, 0)) }
