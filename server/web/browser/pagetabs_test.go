package browser_test

import "testing"

// TestTwoTabs: a tab neither overwrites nor forgets a registration that another tab has stored in the meantime.
func TestTwoTabs(t *testing.T) {
	const store = `localStorage.setItem("tonprobe.check", JSON.stringify({agent_id: "a", token: "theirs"}));`
	for name, c := range map[string]struct{ script, want string }{
		"alone":           {`answer = (method) => method === "POST" ? '{"token": "next"}' : "{}"; inside("renew")();`, "next"},
		"renewed before":  {`answer = (method) => { ` + store + ` return '{"token": "next"}'; }; inside("renew")();`, "theirs"},
		"renewed between": {`answer = (method) => { if (method === "GET") { ` + store + ` } return '{"token": "next"}'; }; inside("renew")();`, "theirs"},
		"forgotten":       {store + `inside("forget")();`, "theirs"},
	} {
		t.Run(name, func(t *testing.T) {
			vm := newPage(t)
			runPage(t, vm, `localStorage.setItem("tonprobe.check", JSON.stringify({agent_id: "a", token: "old"})); inside('kept = {agent_id: "a", token: "old"}');`, c.script)
			wantInPage(t, vm, `JSON.parse(localStorage.getItem("tonprobe.check"))`, `{"agent_id":"a","token":"`+c.want+`"}`)
		})
	}
	vm := newPage(t)
	runPage(t, vm, `localStorage.setItem("tonprobe.check", JSON.stringify({agent_id: "a", token: "old"})); inside('kept = {agent_id: "a", token: "old"}; forget()');`)
	wantInPage(t, vm, `localStorage.getItem("tonprobe.check")`, `null`)
}
