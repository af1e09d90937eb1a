package local

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func uidOf(conn net.Conn) (uint32, error) {
	var uid uint32
	err := control(conn, func(fd int) error {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err == nil {
			uid = cred.Uid
		}
		return err
	})
	return uid, err
}

// usersFolder is where systemd-logind describes each signed-in user (sd_uid_get_state(3)
// reads it).
const usersFolder = "/run/systemd/users"

func isPerson(uid uint32) bool { return isPersonIn(usersFolder, uid) }

// firstPerson is UID_MIN of login.defs(5) on all large distributions. Accounts below, and
// from 61184 on (systemd's dynamic users, containers, nobody), belong to programs.
const (
	firstPerson = 1000
	afterPeople = 61184
	domainUsers = 65536 // users of a directory service start above 16 bits
)

// isPersonIn reports whether uid is the account of a person who is signed in. Without
// systemd-logind, the range of the account decides.
func isPersonIn(users string, uid uint32) bool {
	if uid < firstPerson || uid >= afterPeople && uid < domainUsers {
		return false
	}
	b, err := os.ReadFile(filepath.Join(users, strconv.FormatUint(uint64(uid), 10)))
	if errors.Is(err, fs.ErrNotExist) {
		_, err := os.Stat(users)
		return errors.Is(err, fs.ErrNotExist)
	}
	if err != nil {
		return false
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		if state, ok := strings.CutPrefix(lines.Text(), "STATE="); ok {
			return slices.Contains([]string{"online", "active", "closing"}, state)
		}
	}
	return false
}
