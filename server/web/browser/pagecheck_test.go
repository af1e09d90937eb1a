package browser_test

import "testing"

// TestMicrophoneIsClosed: the microphone is open until the end of the stream, and not while the report is sent.
func TestMicrophoneIsClosed(t *testing.T) {
	vm := newPage(t)
	runPage(t, vm, `const order = []; let end;
		const talking = new Promise((done) => { end = done; });
		inside(`+"`"+`
			signIn = async () => { kept = {agent_id: "a", token: "t"}; };
			loadProgram = async () => {};
			reach = async () => [];
			record = async (context, begun) => { begun(); return {state: "complete", stream: {getTracks: () => [{stop() { order.push("closed"); }}]}}; };
			talk = async () => { await talking; order.push("stream over"); return {}; };
			show = () => {};
			deliver = async () => { order.push("sent"); };
			check();`+"`"+`);`, `end();`)
	wantInPage(t, vm, `order.slice(0, 3)`, `["stream over","closed","sent"]`)
}
