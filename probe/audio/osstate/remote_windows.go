package osstate

import (
	"golang.org/x/sys/windows"
)

// smRemoteSession is SM_REMOTESESSION of GetSystemMetrics: not 0 in a session of the Remote
// Desktop Services, which Citrix uses as well.
const smRemoteSession = 0x1000

func remoteSession() *bool {
	get := windows.NewLazySystemDLL("user32.dll").NewProc("GetSystemMetrics")
	if get.Find() != nil {
		return nil
	}
	found, _, _ := get.Call(smRemoteSession)
	return new(found != 0)
}
