package diagnose

// Groups of causes that explain many others. Each call returns a new slice.

// noAccess are the causes that prevent any access to the internet.
func noAccess() []string { return []string{"net.offline", "net.captive_portal"} }

// noWeb are the causes that prevent any HTTPS connection to a server.
func noWeb() []string { return append(noAccess(), "net.proxy_required", "net.proxy_failed") }

// noCapture are the causes for which no sound of the right microphone arrives, so that
// nothing can be said about the sound.
func noCapture() []string {
	return []string{
		"audio.no_user_session", "audio.no_server", "audio.no_microphone",
		"audio.default_is_monitor", "audio.privacy_blocked", "audio.in_use",
	}
}

// noSound are the causes for which the microphone is silent.
func noSound() []string {
	return append(noCapture(), codeUnplugged, "audio.os_muted", "audio.os_volume_low", "audio.stalled", "audio.wrong_device", "audio.digital_silence")
}
