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
	DeliverySentNotKept Delivery = "sent_only"    // the collector has it, the disk has no room for it
	DeliveryBlocked     Delivery = "blocked"      // the collector has blocked the participant
	DeliveryEnrolAgain  Delivery = "enrol_again"  // the collector no longer knows this computer
	DeliveryRefused     Delivery = "refused"      // the collector does not take this report
)

// Deliveries are all that can become of a report.
func Deliveries() []Delivery {
	return []Delivery{
		DeliverySending, DeliverySent, DeliveryWaiting, DeliveryNotEnrolled, DeliveryDeclined, DeliveryFailed,
		DeliverySentNotKept, DeliveryBlocked, DeliveryEnrolAgain, DeliveryRefused,
	}
}

// Findable says whether support can find the report by its case code: now, soon
// or not at all. A code that nobody can look up is not offered as one.
type Findable string

// The three of them.
const (
	FindableNow   Findable = "now"
	FindableLater Findable = "later"
	FindableNever Findable = "never"
)

// Findable of the zero value is FindableNow: nobody told what became of it.
func (d Delivery) Findable() Findable {
	switch d {
	case DeliverySending, DeliveryWaiting:
		return FindableLater
	case DeliveryNotEnrolled, DeliveryDeclined, DeliveryFailed, DeliveryBlocked, DeliveryEnrolAgain, DeliveryRefused:
		return FindableNever
	}
	return FindableNow
}

// Delivery says d in a sentence; empty for a state that is none of the above.
func (w Words) Delivery(d Delivery) string {
	key := "delivery." + string(d)
	if d == "" || !w.Has(key) {
		return ""
	}
	return w.T(key)
}
