package local

// Address returns the default address of the service's socket on a system, where only an
// administrator can create it, so that no user can take the service's place.
func Address(goos string) string {
	switch goos {
	case "windows":
		return `\\.\pipe\tonprobe`
	case "darwin":
		return "/var/run/tonprobe/agent.sock"
	}
	return "/run/tonprobe/agent.sock"
}
