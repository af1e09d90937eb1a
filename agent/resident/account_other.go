//go:build !linux && !windows

package resident

import (
	"errors"
	"io/fs"
	"os"
)

// accountName is "" for the administrator: launchd creates no accounts.
const accountName = ""

func createAccount() error       { return nil }
func removeAccount(string) error { return nil }
func checkOwners(string) error   { return nil }
func grantAccess(string) error   { return nil }

// isAdmin reports whether this process may control the services of the machine.
func isAdmin() bool { return os.Geteuid() == 0 }

// removeState removes the files into which launchd has written what the program printed.
func (u Setup) removeState() {
	if u.User {
		return
	}
	for _, file := range []string{"/var/log/" + Name + ".out.log", "/var/log/" + Name + ".err.log"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue // harmless if it remains
		}
	}
}
