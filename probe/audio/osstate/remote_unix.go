//go:build !windows

package osstate

import (
	"os"
	"slices"
)

func remoteSession() *bool { return remoteIn(os.Getenv) }

// remoteIn looks for the variables that programs for remote desktops set in their sessions.
// VNC sets none, so without one the answer is unknown.
func remoteIn(getenv func(string) string) *bool {
	if slices.ContainsFunc([]string{"XRDP_SESSION", "X2GO_SESSION", "NX_SESSION_ID"}, func(name string) bool { return getenv(name) != "" }) {
		return new(true)
	}
	return nil
}
