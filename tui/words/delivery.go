package words

// Delivery states what happened to a report.
type Delivery string

// States of a delivery.
const (
	DeliverySending     Delivery = "sending"      // in progress
	DeliverySent        Delivery = "sent"         // the collector has it
	DeliveryWaiting     Delivery = "waiting"      // in the spool, to be sent later
	DeliveryNotEnrolled Delivery = "not_enrolled" // there is no collector
	DeliveryDeclined    Delivery = "declined"     // not sent, by the participant's choice
	DeliveryFailed      Delivery = "failed"       // neither sent nor kept
	DeliverySentNotKept Delivery = "sent_only"    // the collector has it, the disk is full
	DeliveryBlocked     Delivery = "blocked"      // the collector has blocked the participant
	DeliveryErased      Delivery = "erased"       // the collector has erased everything about the participant
	DeliveryEnrolAgain  Delivery = "enrol_again"  // the collector no longer knows this computer
	DeliveryRefused     Delivery = "refused"      // the collector does not accept this report
)

// Deliveries returns all states.
func Deliveries() []Delivery {
	return []Delivery{
		DeliverySending, DeliverySent, DeliveryWaiting, DeliveryNotEnrolled, DeliveryDeclined, DeliveryFailed,
		DeliverySentNotKept, DeliveryBlocked, DeliveryErased, DeliveryEnrolAgain, DeliveryRefused,
	}
}

// Findable states whether support can find the report by its case code. A code that cannot be
// found is not presented as a case code.
type Findable string

// Values of Findable.
const (
	FindableNow   Findable = "now"
	FindableLater Findable = "later"
	FindableNever Findable = "never"
)

// Findable returns FindableNow for the zero value, because the state of the delivery is
// unknown.
func (d Delivery) Findable() Findable {
	switch d {
	case DeliverySending, DeliveryWaiting:
		return FindableLater
	case DeliveryNotEnrolled, DeliveryDeclined, DeliveryFailed, DeliveryBlocked, DeliveryErased, DeliveryEnrolAgain, DeliveryRefused:
		return FindableNever
	}
	return FindableNow
}

// Delivery describes d in a sentence; empty for an unknown state.
func (w Words) Delivery(d Delivery) string {
	key := "delivery." + string(d)
	if d == "" || !w.Has(key) {
		return ""
	}
	return w.T(key)
}
