package resident

import (
	"runtime"
	"testing"
)

// TestConfigOfTheService checks what the service managers of Windows and macOS receive.
func TestConfigOfTheService(t *testing.T) {
	for _, user := range []bool{false, true} {
		c := Setup{User: user, Data: "/x", Arguments: []string{"service", "run"}}.config()
		for option, want := range map[string]any{
			"OnFailure": "restart", "OnFailureDelayDuration": "30s", "DelayedAutoStart": true, // Windows
			"KeepAlive": true, "RunAtLoad": true, "UserService": user, // launchd
		} {
			if got := c.Option[option]; got != want {
				t.Errorf("%s is %v, want %v", option, got, want)
			}
		}
		if own := runtime.GOOS == "windows" && !user; (c.UserName != "") != own {
			t.Errorf("account %q", c.UserName)
		}
	}
}
