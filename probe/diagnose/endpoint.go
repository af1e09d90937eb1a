package diagnose

// endpoint is the machine that network.web was measured against. A cause must not
// blame one for another: our own collector is silent at times, and the conference
// server works all the same. The voice, nat, nat.turn and media.load always measure
// against our own reflector.
type endpoint int

const (
	ownCollector endpoint = iota
	conferenceServer
)

// webEnd is the machine that network.web, and the end of network.path, measured
// against: the conference server where one was checked, and the collector only
// where none was.
func (f *facts) webEnd() endpoint {
	if f.target != "" {
		return conferenceServer
	}
	return ownCollector
}

// segmentsToward are the segments of network.path at whose end a machine stands,
// the nearest to it first. One machine may be all of them.
func segmentsToward(e endpoint) []string {
	if e == conferenceServer {
		return []string{atServer, atTransit}
	}
	return []string{atTransit}
}
