package adapter

import (
	"context"
	"os/exec"
	"time"
)

// radioWait is more than system_profiler takes on an old computer.
const radioWait = 3 * time.Second

// Radio adds whether the interface is Wi-Fi, and the signal and rate of that.
// CoreWLAN would ask the person for the right to know where the computer is;
// these programs of the system do not. What else they print, the network's name
// among it, is not read.
func Radio(ctx context.Context, a Adapter) Adapter {
	ctx, cancel := context.WithTimeout(ctx, radioWait)
	defer cancel()
	if a.Kind == "" {
		ports, err := exec.CommandContext(ctx, "/usr/sbin/networksetup", "-listallhardwareports").Output()
		if err == nil {
			a.Kind = kindOfPort(string(ports), a.name)
		}
	}
	if a.Kind != WiFi {
		return a
	}
	profile, err := exec.CommandContext(ctx, "/usr/sbin/system_profiler", "SPAirPortDataType", "-json").Output()
	if err == nil {
		a.SignalDBM, a.RateMbps = airport(profile, a.name)
	}
	return a
}
