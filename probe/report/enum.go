package report

// enum is a string type with a closed list of values.
type enum interface{ values() []string }

func texts[T ~string](values ...T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

func (Trigger) values() []string {
	return texts(TriggerCheck, TriggerSchedule, TriggerSupport, TriggerEvent)
}

func (Verdict) values() []string { return texts(Ready, Limited, NotReady, Unknown) }

func (Status) values() []string {
	return texts(StatusOK, StatusWarn, StatusFail, StatusUnknown, StatusSkipped)
}

func (Severity) values() []string { return texts(SeverityFail, SeverityWarn, SeverityInfo) }

func (Endpoint) values() []string {
	return texts(EndpointNone, EndpointConference, EndpointReflector, EndpointCollector)
}

func (Area) values() []string {
	return texts(AreaParticipant, AreaMunicipality, AreaProvider, AreaUnknown)
}
