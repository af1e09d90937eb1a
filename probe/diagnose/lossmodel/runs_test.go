package lossmodel

import "testing"

func TestLostTogether(t *testing.T) {
	stream := func(fates string) map[int]bool {
		s := map[int]bool{}
		for i, r := range fates {
			switch r {
			case '1':
				s[i] = true
			case '0':
				s[i] = false
			}
		}
		return s
	}
	for name, c := range map[string]struct {
		streams []string
		end     string
		want    float64
	}{
		"nothing lost":                       {[]string{"1111", "1111"}, "1111", 0},
		"one at a time":                      {[]string{"11011011"}, "11011011", 1},
		"three in a row":                     {[]string{"11000111"}, "11000111", 3},
		"two streams, two times":             {[]string{"10011", "11011"}, "11011", 2},
		"two in a row in both":               {[]string{"1001", "1001"}, "1001", 4},
		"a router that limits its responses": {[]string{"0000000000", "1111101111"}, "1111101111", 2},
		"a stream with fewer packets":        {[]string{"1  1  0  ", "111111011"}, "111111011", 2},
	} {
		var streams []map[int]bool
		for _, s := range c.streams {
			streams = append(streams, stream(s))
		}
		if got := LostTogether(streams, stream(c.end)); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
