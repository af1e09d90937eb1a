package osstate

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ebitengine/purego"
	"github.com/ebitengine/purego/objc"
)

func read(ctx context.Context, _ int) (Snapshot, error) {
	s, err := readScope(ctx, "inpt", "dIn ")
	if err == nil {
		s.PrivacyDenied = microphoneDenied()
	}
	return s, err
}

func readOutputs(ctx context.Context) (Snapshot, error) { return readScope(ctx, "outp", "dOut") }

func readScope(ctx context.Context, scope, defaultSelector string) (Snapshot, error) {
	return bounded(ctx, "macOS", func() (Snapshot, error) { return readCoreAudio(scope, defaultSelector) })
}

func readCoreAudio(scope, defaultSelector string) (Snapshot, error) {
	ca, err := openCoreAudio()
	if err != nil {
		return Snapshot{}, fmt.Errorf("query macOS for its sound devices: %w", err)
	}
	s := Snapshot{Devices: map[string]Device{}}
	list := ca.bytes(systemObject, global("dev#"))
	for i := range len(list) / 4 {
		id := binary.LittleEndian.Uint32(list[4*i:])
		if channels, ok := bufferListChannels(ca.bytes(id, scoped(scope, "slay"))); ok && channels > 0 {
			uid := ca.text(id, global("uid "))
			s.Devices[uid] = ca.device(id, scope, channels)
			// kAudioDevicePropertyDeviceIsRunningSomewhere does not identify the program.
			if running, ok := ca.uint32(id, global("gone")); ok {
				s.Uses.Known = true
				if running != 0 {
					s.Uses.List = append(s.Uses.List, Use{DeviceID: uid})
				}
			}
		}
	}
	if def, ok := ca.uint32(systemObject, global(defaultSelector)); ok && def != 0 {
		s.DefaultID = ca.text(def, global("uid "))
	}
	return s, nil
}

// device reads one device of a direction.
func (ca coreAudio) device(id uint32, scope string, channels int) Device {
	d := Device{Name: ca.text(id, global("lnam")), NativeChannels: new(channels), IsMonitor: new(false)}
	if t, ok := ca.uint32(id, global("tran")); ok {
		d.IsBluetooth = new(isBluetoothTransport(t))
		if isHardwareTransport(t) {
			d.Product = d.Name
		}
	}
	if b := ca.bytes(id, global("nsrt")); len(b) == 8 {
		d.NativeRateHz = new(int(math.Float64frombits(binary.LittleEndian.Uint64(b))))
	}
	// Element 0 is the master. Devices without one have controls for each channel.
	for element := range uint32(2) {
		address := scoped(scope, "mute")
		address.element = element
		if muted, ok := ca.uint32(id, address); ok && d.Muted == nil {
			d.Muted = new(muted != 0)
		}
		address.selector = fourCC("vold")
		if b := ca.bytes(id, address); len(b) == 4 && d.VolumeDB == nil {
			d.VolumeDB = unityVolumeDB(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		}
	}
	return d
}

const (
	systemObject   = 1 // kAudioObjectSystemObject
	encodingUTF8   = 0x08000100
	maxProperty    = 1 << 16
	maxTextBytes   = 1024
	frameworksPath = "/System/Library/Frameworks/"
)

// propertyAddress is AudioObjectPropertyAddress.
type propertyAddress struct{ selector, scope, element uint32 }

func global(selector string) propertyAddress {
	return propertyAddress{fourCC(selector), fourCC("glob"), 0}
}

func scoped(scope, selector string) propertyAddress {
	return propertyAddress{fourCC(selector), fourCC(scope), 0}
}

// coreAudio binds the required framework functions without cgo, so that the code
// builds and is vetted on every machine.
type coreAudio struct {
	dataSize func(id uint32, address *propertyAddress, qualifierSize uint32, qualifier uintptr, size *uint32) int32
	data     func(id uint32, address *propertyAddress, qualifierSize uint32, qualifier uintptr, size *uint32, out *byte) int32
	cString  func(text uintptr, buffer *byte, size int, encoding uint32) bool
	release  func(object uintptr)
}

func openCoreAudio() (ca coreAudio, err error) {
	audio, err := framework("CoreAudio")
	if err != nil {
		return ca, err
	}
	foundation, err := framework("CoreFoundation")
	if err != nil {
		return ca, err
	}
	purego.RegisterLibFunc(&ca.dataSize, audio, "AudioObjectGetPropertyDataSize")
	purego.RegisterLibFunc(&ca.data, audio, "AudioObjectGetPropertyData")
	purego.RegisterLibFunc(&ca.cString, foundation, "CFStringGetCString")
	purego.RegisterLibFunc(&ca.release, foundation, "CFRelease")
	return ca, nil
}

func framework(name string) (uintptr, error) {
	return purego.Dlopen(frameworksPath+name+".framework/"+name, purego.RTLD_LAZY|purego.RTLD_GLOBAL)
}

// bytes returns the value of a property, or nil if the object does not have it.
func (ca coreAudio) bytes(id uint32, address propertyAddress) []byte {
	var size uint32
	if ca.dataSize(id, &address, 0, 0, &size) != 0 || size == 0 || size > maxProperty {
		return nil
	}
	b := make([]byte, size)
	if ca.data(id, &address, 0, 0, &size, &b[0]) != 0 || int(size) > len(b) {
		return nil
	}
	return b[:size]
}

func (ca coreAudio) uint32(id uint32, address propertyAddress) (uint32, bool) {
	b := ca.bytes(id, address)
	if len(b) != 4 {
		return 0, false
	}
	return binary.LittleEndian.Uint32(b), true
}

// text reads a CFString property, which the caller owns.
func (ca coreAudio) text(id uint32, address propertyAddress) string {
	b := ca.bytes(id, address)
	if len(b) != 8 {
		return ""
	}
	ref := uintptr(binary.LittleEndian.Uint64(b))
	if ref == 0 {
		return ""
	}
	defer ca.release(ref)
	buffer := make([]byte, maxTextBytes)
	if !ca.cString(ref, &buffer[0], len(buffer), encodingUTF8) {
		return ""
	}
	for i, c := range buffer {
		if c == 0 {
			return string(buffer[:i])
		}
	}
	return ""
}

// microphoneDenied queries AVCaptureDevice without the prompt that requestAccess
// would show.
func microphoneDenied() *bool {
	if _, err := framework("AVFoundation"); err != nil {
		return nil
	}
	capture, str := objc.GetClass("AVCaptureDevice"), objc.GetClass("NSString")
	if capture == 0 || str == 0 {
		return nil
	}
	audio := objc.ID(str).Send(objc.RegisterName("stringWithUTF8String:"), "soun") // AVMediaTypeAudio
	status := objc.Send[int](objc.ID(capture), objc.RegisterName("authorizationStatusForMediaType:"), audio)
	return authorizationDenied(status)
}
