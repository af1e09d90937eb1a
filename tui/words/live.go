package words

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Live is what to say of a cause while the person still speaks: what is wrong,
// and what to do. It is what the verdict would say, but for causes of which
// that would be no help yet, "start the check again" for instance.
func (w Words) Live(c report.Cause, p diagnose.Profile) (sentence, action string) {
	key := "live." + strings.ReplaceAll(c.Code, ".", "_")
	if w.Has(key + ".sentence") {
		return w.T(key + ".sentence"), w.T(key + ".action")
	}
	text, _ := diagnose.ExplainCauseBy(c, w.Lang(), p)
	return text.Sentence, text.Action
}
