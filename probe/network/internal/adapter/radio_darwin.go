package adapter

import (
	"context"
	"os/exec"
	"time"
)

// radioWait is longer than system_profiler takes on an old computer.
const radioWait = 3 * time.Second

// Radio adds whether the interface is Wi-Fi, with its signal and rate. CoreWLAN would require the person's permission for
// location; these system programs do not. The rest of their output, including the network's name, is not parsed.
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
