package words

// Delivery says what became of a report.
type Delivery string

// What can become of a report.
const (
	DeliverySending     Delivery = "sending"      // on its way now
	DeliverySent        Delivery = "sent"         // the collector has it
	DeliveryWaiting     Delivery = "waiting"      // in the spool, to be sent later
	DeliveryNotEnrolled Delivery = "not_enrolled" // there is no collector to send it to
	DeliveryDeclined    Delivery = "declined"     // not to be sent, by the participant's wish
	DeliveryFailed      Delivery = "failed"       // neither sent nor kept
)

// Delivery says d in a sentence; empty for a state that is none of the above.
func (w Words) Delivery(d Delivery) string {
	key := "delivery." + string(d)
	if d == "" || !w.Has(key) {
		return ""
	}
	return w.T(key)
}
