package proxy

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const (
	settingsKey = `Software\Microsoft\Windows\CurrentVersion\Internet Settings`
	policyKey   = `Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings`
)

// readSystem reads the settings of the user, then those of WinHTTP, which services
// use and administrators set with netsh.
func readSystem(context.Context) (Settings, error) {
	root := registry.CURRENT_USER
	if n, ok := number(registry.LOCAL_MACHINE, policyKey, "ProxySettingsPerUser"); ok && n == 0 {
		root = registry.LOCAL_MACHINE // a policy makes the settings machine-wide
	}
	enable, _ := number(root, settingsKey, "ProxyEnable")
	s := internetSettings{
		ProxyEnable:   enable != 0,
		ProxyServer:   text(root, "ProxyServer"),
		ProxyOverride: text(root, "ProxyOverride"),
		AutoConfigURL: text(root, "AutoConfigURL"),
	}.settings()
	if s.ScriptURL != "" || s.HTTP != nil || s.HTTPS != nil || s.SOCKS != nil {
		return s, nil
	}
	return readWinHTTP()
}

func number(root registry.Key, key, value string) (uint64, bool) {
	k, err := registry.OpenKey(root, key, registry.QUERY_VALUE)
	if err != nil {
		return 0, false
	}
	defer func() { _ = k.Close() }()
	n, _, err := k.GetIntegerValue(value)
	return n, err == nil
}

func text(root registry.Key, value string) string {
	k, err := registry.OpenKey(root, settingsKey, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer func() { _ = k.Close() }()
	s, _, err := k.GetStringValue(value)
	if err != nil {
		return ""
	}
	return s
}

// winHTTPProxyInfo is WINHTTP_PROXY_INFO of winhttp.h.
type winHTTPProxyInfo struct {
	accessType uint32
	proxy      *uint16
	bypass     *uint16
}

const winHTTPNamedProxy = 3 // WINHTTP_ACCESS_TYPE_NAMED_PROXY

func readWinHTTP() (Settings, error) {
	get := windows.NewLazySystemDLL("winhttp.dll").NewProc("WinHttpGetDefaultProxyConfiguration")
	if err := get.Find(); err != nil {
		return Settings{}, fmt.Errorf("read the settings of WinHTTP: %w", err)
	}
	var info winHTTPProxyInfo
	if ok, _, err := get.Call(uintptr(unsafe.Pointer(&info))); ok == 0 {
		return Settings{}, fmt.Errorf("read the settings of WinHTTP: %w", err)
	}
	defer free(info.proxy)
	defer free(info.bypass)
	if info.accessType != winHTTPNamedProxy {
		return Settings{}, nil
	}
	return parseWindows(windows.UTF16PtrToString(info.proxy), windows.UTF16PtrToString(info.bypass)), nil
}

// free frees a string returned by WinHTTP, which is in global memory.
func free(s *uint16) {
	if s != nil {
		_, _, _ = windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalFree").Call(uintptr(unsafe.Pointer(s)))
	}
}
