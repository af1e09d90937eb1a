package osstate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

func read(ctx context.Context, _ int) (Snapshot, error) {
	s, err := readFlow(ctx, flowCapture)
	s.PrivacyDenied = readConsent().denied()
	s.Uses = readUses(time.Now())
	return s, err
}

func readOutputs(ctx context.Context) (Snapshot, error) { return readFlow(ctx, flowRender) }

func readFlow(ctx context.Context, flow uintptr) (Snapshot, error) {
	return bounded(ctx, "Windows", func() (Snapshot, error) {
		runtime.LockOSThread() // COM is initialised per thread
		defer runtime.UnlockOSThread()
		return readEndpoints(flow)
	})
}

// readEndpoints lists the active endpoints of one direction.
func readEndpoints(flow uintptr) (Snapshot, error) {
	enum, release, err := newEnumerator()
	if err != nil {
		return Snapshot{}, fmt.Errorf("query Windows for its sound devices: %w", err)
	}
	defer release()
	s := Snapshot{
		Devices:        map[string]Device{},
		DefaultID:      enum.defaultID(flow, roleConsole),
		DefaultCommsID: enum.defaultID(flow, roleCommunications),
	}
	endpoints, err := enum.endpoints(flow)
	if err != nil {
		return s, fmt.Errorf("list sound devices: %w", err)
	}
	for _, e := range endpoints {
		id, err := e.id()
		if err == nil {
			s.Devices[id] = readEndpoint(e)
		}
		e.release()
	}
	return s, nil
}

func readEndpoint(e endpoint) Device {
	d := Device{IsMonitor: new(false)} // loopback capture is not a device on Windows
	if volume, err := e.volume(); err == nil {
		if muted, err := volume.muted(); err == nil {
			d.Muted = new(muted)
		}
		if db, err := volume.levelDB(); err == nil {
			d.VolumeDB = unityVolumeDB(float64(db))
		}
		volume.release()
	}
	properties, err := e.properties()
	if err != nil {
		return d
	}
	defer properties.release()
	d.Name, _ = properties.text(keyFriendlyName)
	if bus, err := properties.text(keyEnumeratorName); err == nil && bus != "" {
		d.IsBluetooth = new(isBluetoothEnumerator(bus))
		if isHardwareEnumerator(bus) {
			d.Product, _ = properties.text(keyInterfaceName)
		}
	}
	if format, err := properties.blob(keyDeviceFormat); err == nil {
		if rate, channels, ok := parseWaveFormat(format); ok {
			d.NativeRateHz, d.NativeChannels = new(rate), new(channels)
		}
	}
	return d
}

const (
	consentKey = `SOFTWARE\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\microphone`
	policyKey  = `SOFTWARE\Policies\Microsoft\Windows\AppPrivacy`
)

func readConsent() consent {
	c := consent{
		Machine:     registryText(registry.LOCAL_MACHINE, consentKey),
		User:        registryText(registry.CURRENT_USER, consentKey),
		NonPackaged: registryText(registry.CURRENT_USER, consentKey+`\NonPackaged`),
	}
	if k, err := registry.OpenKey(registry.LOCAL_MACHINE, policyKey, registry.QUERY_VALUE); err == nil {
		defer k.Close()
		if v, _, err := k.GetIntegerValue("LetAppsAccessMicrophone"); err == nil {
			c.Policy = &v
		}
	}
	return c
}

// readUses reads which programs use a microphone now. Windows separates packaged and
// desktop programs, for this user and for the machine.
func readUses(now time.Time) Uses {
	var entries []consentUse
	known := false
	for _, root := range []registry.Key{registry.CURRENT_USER, registry.LOCAL_MACHINE} {
		for _, path := range []string{consentKey, consentKey + `\NonPackaged`} {
			found, err := consentEntries(root, path)
			known = known || err == nil
			entries = append(entries, found...)
		}
	}
	own, err := os.Executable()
	if err != nil {
		own = ""
	}
	booted := windows.NsecToFiletime(now.Add(-windows.DurationSinceBoot()).UnixNano())
	return Uses{Known: known, List: consentUses(entries, uint64(booted.HighDateTime)<<32|uint64(booted.LowDateTime), filepath.Base(own))}
}

func consentEntries(root registry.Key, path string) ([]consentUse, error) {
	parent, err := registry.OpenKey(root, path, registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	names, err := parent.ReadSubKeyNames(-1)
	if err != nil {
		return nil, err
	}
	var entries []consentUse
	for _, name := range names {
		k, err := registry.OpenKey(parent, name, registry.QUERY_VALUE)
		if err != nil {
			continue // an entry of another program that we may not read
		}
		start, _, errStart := k.GetIntegerValue("LastUsedTimeStart")
		stop, _, errStop := k.GetIntegerValue("LastUsedTimeStop")
		k.Close()
		if errStart == nil && errStop == nil {
			entries = append(entries, consentUse{Key: name, Start: start, Stop: stop})
		}
	}
	return entries, nil
}

// registryText returns the value named "Value" of a key; empty if there is none.
func registryText(root registry.Key, path string) string {
	k, err := registry.OpenKey(root, path, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	v, _, err := k.GetStringValue("Value")
	if err != nil {
		return ""
	}
	return v
}

var errNoValue = errors.New("the property has no such value")
