package web

// Patterns returns the patterns of all routes.
func Patterns() (all []string) {
	s := &site{streams: newStreams()}
	for _, r := range s.table() {
		all = append(all, r.pattern)
	}
	return all
}

// AuditKind is auditKind.
var AuditKind = auditKind
