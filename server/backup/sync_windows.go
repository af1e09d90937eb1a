package backup

// syncFolder does nothing: NTFS journals names by itself, and Windows opens no
// folder for FlushFileBuffers without backup rights.
func syncFolder(string) error { return nil }
