package emodel

import "testing"

func mustRate(t *testing.T, v Voice) Score {
	t.Helper()
	s, err := RateVoice(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFaultVonageConstantDelay: Vonage's score uses a constant delay of 150 ms, so a
// satellite line scores like fibre.
func TestFaultVonageConstantDelay(t *testing.T) {
	fibre := mustRate(t, Voice{RTTMS: 10, PlayoutMS: 60})
	satellite := mustRate(t, Voice{RTTMS: 600, PlayoutMS: 60})
	if satellite.MOS > fibre.MOS-0.5 {
		t.Errorf("got a MOS of %v for satellite, %v for fibre, want at least 0.5 less", satellite.MOS, fibre.MOS)
	}
}

// TestFaultObserveRTCScoreRisesWithDelay: the score of ObserveRTC rises with delay. No
// score may rise with delay or loss.
func TestFaultObserveRTCScoreRisesWithDelay(t *testing.T) {
	for _, model := range []func(loss, ta float64) (Score, error){
		func(loss, ta float64) (Score, error) { return RateWideband(OpusWideband(false), loss, ta) },
		func(loss, ta float64) (Score, error) { return RateFullband(OpusSuperWideband40k(true), loss, ta) },
		func(loss, ta float64) (Score, error) {
			p := Defaults()
			p.Ppl, p.Ta, p.T, p.Tr = loss, ta, ta, 2*ta
			return RateNarrowband(p, "")
		},
	} {
		for loss := 0.0; loss <= 100; loss += 5 {
			for ta := 0.0; ta <= 2000; ta += 10 {
				here, err := model(loss, ta)
				slower, err2 := model(loss, ta+10)
				lossier, err3 := model(min(100, loss+5), ta)
				if err != nil || err2 != nil || err3 != nil {
					t.Fatal(err, err2, err3)
				}
				if slower.R > here.R+1e-9 || slower.MOS > here.MOS+1e-12 || lossier.R > here.R+1e-9 {
					t.Fatalf("%s: got R %.4f at %v %% %v ms, %.4f with more delay, %.4f with more loss, want no increase", here.Model, here.R, loss, ta, slower.R, lossier.R)
				}
			}
		}
	}
}

// TestFaultTwilioHoleBetweenBands: Twilio's scores of 4.05 and 3.65 belong to no
// category. With decreasing score, each category must occur once and in order.
func TestFaultTwilioHoleBetweenBands(t *testing.T) {
	order := []Satisfaction{VerySatisfied, Satisfied, SomeDissatisfied, ManyDissatisfied, NearlyAllDissatisfied, NotRecommended}
	at := 0
	for mos := 4.5; mos >= 1; mos -= 0.001 {
		got := Score{MOS: mos}.Satisfaction()
		for at < len(order)-1 && got != order[at] {
			at++
		}
		if got != order[at] {
			t.Fatalf("MOS %.3f: got %q after %q, want the categories in order", mos, got, order[at])
		}
	}
	if at != len(order)-1 {
		t.Errorf("got %d categories, want %d", at+1, len(order))
	}
	for mos, want := range map[float64]Satisfaction{4.05: Satisfied, 3.65: SomeDissatisfied} {
		if got := (Score{MOS: mos}).Satisfaction(); got != want {
			t.Errorf("MOS %v: got %s, want %s", mos, got, want)
		}
	}
}

// TestFaultScalesMixed: the scales of the models must not be mixed: the same R means
// different qualities.
func TestFaultScalesMixed(t *testing.T) {
	wide, _ := RateWideband(Codec{Ie: 36, Bpl: 10}, 0, 0)
	full, _ := RateFullband(Codec{Ie: 55, Bpl: 10}, 0, 0)
	if wide.R != full.R || wide.MOS <= full.MOS || wide.Model == full.Model {
		t.Errorf("R 93 has the same quality on both scales: %+v, %+v", wide, full)
	}
}
