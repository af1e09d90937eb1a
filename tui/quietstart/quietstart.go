// Package quietstart prevents bubbletea from querying the terminal's background colour
// when a program starts.
//
// The init of bubbletea v1 sends the query, and on a terminal that does not answer every
// command, even `version`, waits 5 s for it (termenv.OSCTimeout). The answer is not
// needed: the colours of package style suit both backgrounds.
//
// termenv sends no query while the variable CI is set, so it is set until bubbletea has
// been initialised. This depends on the order of initialisation (Go specification,
// "Program initialization": among the packages that are ready, by import path): this package
// imports only the standard library and is therefore initialised before golang.org/x/sys,
// which bubbletea imports. It must not import anything else. A test of package tui verifies
// this.
//
// bubbletea v1 offers no other way: its init uses the default renderer of lipgloss, which
// cannot be replaced before that init runs. Version 2 does not send the query.
package quietstart

import "os"

const variable = "CI"

var querySuppressed = suppressQuery()

func suppressQuery() bool {
	return os.Getenv(variable) == "" && os.Setenv(variable, "1") == nil
}

// End restores the variable. A package that imports bubbletea calls it during its
// initialisation, which follows that of bubbletea.
func End() (done struct{}) {
	if querySuppressed {
		_ = os.Unsetenv(variable)
	}
	return done
}
