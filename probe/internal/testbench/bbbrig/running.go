package bbbrig

import (
	"net/http"
	"strconv"
)

// running answers isMeetingRunning, which is false for an unknown meeting, and true only
// once somebody has joined (bbb-web, ApiController.isMeetingRunning).
func (r *Rig) running(w http.ResponseWriter, req *http.Request) {
	if !r.signed("isMeetingRunning", req) {
		failed(w, "checksumError", "You did not pass the checksum security check")
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.meetings[req.URL.Query().Get("meetingID")]
	joined := false
	for _, u := range r.users {
		joined = joined || u.meeting == m && u.joined && !u.left
	}
	xmlAnswer(w, "returncode", "SUCCESS", "running", strconv.FormatBool(m != nil && !m.ended && joined))
}
