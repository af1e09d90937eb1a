package resident

import (
	"errors"
	"os/exec"
	"runtime"
	"testing"

	"github.com/kardianos/service"
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
				t.Errorf("%s: got %v, want %v", option, got, want)
			}
		}
		if own := runtime.GOOS == "windows" && !user; (c.UserName != "") != own {
			t.Errorf("got account %q, want one: %v", c.UserName, own)
		}
	}
}

// TestStateOfOlderInitSystems: a service that was never started is stopped, which is no error.
func TestStateOfOlderInitSystems(t *testing.T) {
	exit := exec.Command("go", "no-such-command").Run()
	if _, ok := errors.AsType[*exec.ExitError](exit); !ok {
		t.Fatalf("got %v, want an exit status", exit)
	}
	other := errors.New("no permission")
	for name, c := range map[string]struct {
		platform string
		status   service.Status
		err      error
		initFile bool
		want     State
		fails    bool
	}{
		"running":             {systemV, service.StatusRunning, nil, true, StateRunning, false},
		"stopped":             {systemV, service.StatusStopped, nil, true, StateStopped, false},
		"never started":       {systemV, service.StatusUnknown, exit, true, StateStopped, false},
		"Upstart":             {upstart, service.StatusUnknown, exit, true, StateStopped, false},
		"not installed":       {systemV, service.StatusUnknown, exit, false, StateMissing, false},
		"the library says so": {systemV, service.StatusUnknown, service.ErrNotInstalled, true, StateMissing, false},
		"no answer":           {systemV, service.StatusUnknown, other, true, "", true},
		"launchd fails":       {"darwin-launchd", service.StatusUnknown, exit, true, "", true},
	} {
		got, err := stateFrom(c.platform, c.status, c.err, c.initFile)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: got %q, %v, want %q, an error: %v", name, got, err, c.want, c.fails)
		}
	}
}
