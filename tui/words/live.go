package words

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Live returns the sentence and the action for a cause during the recording. They
// equal those of the verdict, except for causes whose action would not help yet,
// such as "start the check again".
func (w Words) Live(c report.Cause, p diagnose.Profile) (sentence, action string) {
	key := "live." + strings.ReplaceAll(c.Code, ".", "_")
	if w.Has(key + ".sentence") {
		return w.T(key + ".sentence"), w.T(key + ".action")
	}
	text, _ := diagnose.ExplainCauseBy(c, w.Lang(), p)
	return text.Sentence, text.Action
}
