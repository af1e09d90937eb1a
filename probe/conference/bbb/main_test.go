package bbb_test

import (
	"os"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest"
)

func TestMain(m *testing.M) { os.Exit(probetest.Main(m, 8)) }
