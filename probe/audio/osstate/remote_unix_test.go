//go:build !windows

package osstate

import "testing"

func TestRemoteSession(t *testing.T) {
	for set, want := range map[string]bool{"": false, "XRDP_SESSION": true, "X2GO_SESSION": true, "NX_SESSION_ID": true, "DISPLAY": false, "SSH_CONNECTION": false} {
		got := remoteIn(func(name string) string {
			if name == set {
				return "1"
			}
			return ""
		})
		if (got != nil && *got) != want || got != nil && !*got {
			t.Errorf("%q: got %v, want true: %v, otherwise unknown", set, got, want)
		}
	}
}
