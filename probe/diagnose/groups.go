package diagnose

// The groups of causes that explain many others. Each call returns a new slice.

// noAccess are the causes without whose repair nothing reaches the internet.
func noAccess() []string { return []string{"net.offline", "net.captive_portal"} }

// noWebWay are the causes without whose repair nothing reaches a server over HTTPS.
func noWebWay() []string { return append(noAccess(), "net.proxy_required", "net.proxy_failed") }

// noCapture are the causes that let no sound of the right microphone arrive at
// all: nothing said about the sound means anything then.
func noCapture() []string {
	return []string{
		"audio.no_user_session", "audio.no_server", "audio.no_microphone",
		"audio.default_is_monitor", "audio.privacy_blocked", "audio.in_use",
	}
}

// noSound are the causes that let the microphone be silent.
func noSound() []string {
	return append(noCapture(), codeUnplugged, "audio.os_muted", "audio.os_volume_low", "audio.stalled", "audio.wrong_device", "audio.digital_silence")
}
