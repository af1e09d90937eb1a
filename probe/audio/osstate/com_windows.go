package osstate

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"github.com/go-ole/go-ole"
	"golang.org/x/sys/windows"
)

// The required methods of the MMDevice API and of EndpointVolume (mmdeviceapi.h,
// endpointvolume.h, propsys.h). A method is called by its index in the interface's
// table. The first three belong to IUnknown.

var (
	classDeviceEnumerator = ole.NewGUID("{BCDE0395-E52F-467C-8E3D-C4579291692E}")
	iidDeviceEnumerator   = ole.NewGUID("{A95664D2-9614-4F35-A746-DE8DB63617E6}")
	iidEndpointVolume     = ole.NewGUID("{5CDF2C82-841E-4546-9722-0CF74078229A}")

	keyFriendlyName   = propertyKey{*ole.NewGUID("{A45C254E-DF1C-4EFD-8020-67D146A850E0}"), 14}
	keyInterfaceName  = propertyKey{*ole.NewGUID("{026E516E-B814-414B-83CD-856D6FEF4822}"), 2} // PKEY_DeviceInterface_FriendlyName
	keyEnumeratorName = propertyKey{*ole.NewGUID("{A45C254E-DF1C-4EFD-8020-67D146A850E0}"), 24}
	keyDeviceFormat   = propertyKey{*ole.NewGUID("{F19F064D-082C-4E27-BC73-6882A1BB8E4C}"), 0}

	procPropVariantClear = windows.NewLazySystemDLL("ole32.dll").NewProc("PropVariantClear")
)

const (
	flowRender   = 0 // EDataFlow eRender
	flowCapture  = 1 // EDataFlow eCapture
	stateActive  = 1 // DEVICE_STATE_ACTIVE
	clsctxAll    = 23
	stgmRead     = 0
	variantText  = 31 // VT_LPWSTR
	variantBlob  = 65 // VT_BLOB
	maxBlobBytes = 1 << 16
	maxEndpoints = 256

	roleConsole        = 0
	roleCommunications = 2
)

// object is a COM object.
type object struct{ table *[24]uintptr }

// call calls a method by its index in the table.
//
//go:uintptrescapes
func (o *object) call(method int, args ...uintptr) error {
	all := append([]uintptr{uintptr(unsafe.Pointer(o))}, args...)
	result, _, _ := syscall.SyscallN(o.table[method], all...)
	if int32(result) < 0 {
		return ole.NewError(result)
	}
	return nil
}

func (o *object) release() { _, _, _ = syscall.SyscallN(o.table[2], uintptr(unsafe.Pointer(o))) }

type enumerator struct{ *object }

// newEnumerator initialises COM on this thread; release ends its use.
func newEnumerator() (enumerator, func(), error) {
	const alreadyInitialised = 1 // S_FALSE
	if err := ole.CoInitializeEx(0, ole.COINIT_MULTITHREADED); err != nil {
		var e *ole.OleError
		if !errors.As(err, &e) || e.Code() != alreadyInitialised {
			return enumerator{}, nil, fmt.Errorf("start COM: %w", err)
		}
	}
	unknown, err := ole.CreateInstance(classDeviceEnumerator, iidDeviceEnumerator)
	if err != nil {
		ole.CoUninitialize()
		return enumerator{}, nil, fmt.Errorf("create device enumerator: %w", err)
	}
	e := enumerator{(*object)(unsafe.Pointer(unknown))}
	return e, func() { e.release(); ole.CoUninitialize() }, nil
}

// defaultID returns the ID of the default endpoint for a direction and a role, or "".
func (e enumerator) defaultID(flow, role uintptr) string {
	var device *object
	if err := e.call(4, flow, role, uintptr(unsafe.Pointer(&device))); err != nil { // GetDefaultAudioEndpoint
		return ""
	}
	defer device.release()
	id, err := endpoint{device}.id()
	if err != nil {
		return ""
	}
	return id
}

// endpoints lists the active endpoints of a direction. The caller must release them.
func (e enumerator) endpoints(flow uintptr) ([]endpoint, error) {
	var collection *object
	if err := e.call(3, flow, stateActive, uintptr(unsafe.Pointer(&collection))); err != nil { // EnumAudioEndpoints
		return nil, err
	}
	defer collection.release()
	var n uint32
	if err := collection.call(3, uintptr(unsafe.Pointer(&n))); err != nil { // GetCount
		return nil, err
	}
	var all []endpoint
	for i := range min(n, maxEndpoints) {
		var device *object
		if err := collection.call(4, uintptr(i), uintptr(unsafe.Pointer(&device))); err != nil { // Item
			continue
		}
		all = append(all, endpoint{device})
	}
	return all, nil
}

type endpoint struct{ *object }

func (e endpoint) id() (string, error) {
	var text *uint16
	if err := e.call(5, uintptr(unsafe.Pointer(&text))); err != nil { // GetId
		return "", err
	}
	defer ole.CoTaskMemFree(uintptr(unsafe.Pointer(text)))
	return windows.UTF16PtrToString(text), nil
}

func (e endpoint) volume() (endpointVolume, error) {
	var v *object
	err := e.call(3, uintptr(unsafe.Pointer(iidEndpointVolume)), clsctxAll, 0, uintptr(unsafe.Pointer(&v))) // Activate
	return endpointVolume{v}, err
}

func (e endpoint) properties() (propertyStore, error) {
	var p *object
	err := e.call(4, stgmRead, uintptr(unsafe.Pointer(&p))) // OpenPropertyStore
	return propertyStore{p}, err
}

type endpointVolume struct{ *object }

func (v endpointVolume) levelDB() (float32, error) {
	var db float32
	err := v.call(8, uintptr(unsafe.Pointer(&db))) // GetMasterVolumeLevel
	return db, err
}

func (v endpointVolume) muted() (bool, error) {
	var muted int32
	err := v.call(15, uintptr(unsafe.Pointer(&muted))) // GetMute
	return muted != 0, err
}

// propertyKey is PROPERTYKEY.
type propertyKey struct {
	format ole.GUID
	id     uint32
}

// propVariant is PROPVARIANT. Its union is stored as plain words, because the size of
// a blob is not a pointer and must not be treated as one.
type propVariant struct {
	kind     uint16
	_        [3]uint16
	low      uintptr // the text, or the blob's size
	blobData *byte
}

func (v *propVariant) clear() { _, _, _ = procPropVariantClear.Call(uintptr(unsafe.Pointer(v))) }

type propertyStore struct{ *object }

func (p propertyStore) value(key propertyKey, kind uint16) (*propVariant, error) {
	v := new(propVariant)
	if err := p.call(5, uintptr(unsafe.Pointer(&key)), uintptr(unsafe.Pointer(v))); err != nil { // GetValue
		return nil, err
	}
	if v.kind != kind {
		v.clear()
		return nil, errNoValue
	}
	return v, nil
}

func (p propertyStore) text(key propertyKey) (string, error) {
	v, err := p.value(key, variantText)
	if err != nil {
		return "", err
	}
	defer v.clear()
	text := *(**uint16)(unsafe.Pointer(&v.low))
	if text == nil {
		return "", errNoValue
	}
	return windows.UTF16PtrToString(text), nil
}

func (p propertyStore) blob(key propertyKey) ([]byte, error) {
	v, err := p.value(key, variantBlob)
	if err != nil {
		return nil, err
	}
	defer v.clear()
	size := uint32(v.low)
	if v.blobData == nil || size > maxBlobBytes {
		return nil, errNoValue
	}
	return append([]byte(nil), unsafe.Slice(v.blobData, size)...), nil
}
