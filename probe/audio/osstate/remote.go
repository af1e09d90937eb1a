package osstate

// RemoteSession reports whether the program runs in a session that somebody uses from another
// computer (remote desktop, terminal server). The devices are then those of this computer, or
// are forwarded from the other one. It is nil if that is unknown.
func RemoteSession() *bool { return remoteSession() }
