package wire

// EnrollRequest is the JSON request of POST /api/v1/enroll.
type EnrollRequest struct {
	Code string `json:"code"`
	// AgentID is the id that the agent has; the collector may assign another one.
	AgentID string `json:"agent_id"`
	Agent   struct {
		Version string `json:"version"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	} `json:"agent"`
}

// EnrollResponse is the JSON response of POST /api/v1/enroll.
type EnrollResponse struct {
	AgentID string `json:"agent_id"`
	Token   string `json:"token"`
	// Participant is the name of the participant for whom the computer was enrolled.
	Participant string `json:"participant"`
}
