package resident

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/kardianos/service"
)

// accountName is the account of the machine's service.
const accountName = "tonprobe"

// accountComment marks the account as created by this program.
const accountComment = "Tonprobe service"

// createAccount creates the account of the service.
func createAccount() error {
	if service.Platform() != systemd {
		return nil
	}
	if _, err := user.Lookup(accountName); err == nil {
		return nil
	}
	err := addAccount()
	if err == nil {
		_, err = user.Lookup(accountName)
	}
	if err != nil {
		return fmt.Errorf("create the account %s: %w", accountName, err)
	}
	return nil
}

// addAccount prefers systemd-sysusers, which every distribution with systemd has or
// replaces; useradd is missing on systems whose accounts are managed elsewhere.
func addAccount() error {
	sysusers := exec.Command("systemd-sysusers", "-")
	sysusers.Stdin = strings.NewReader(`u ` + accountName + ` - "` + accountComment + `" / -` + "\n")
	out, err := sysusers.CombinedOutput()
	if err == nil {
		return nil
	}
	more, second := exec.Command("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/",
		"--shell", "/usr/sbin/nologin", "--comment", accountComment, accountName).CombinedOutput()
	if second == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("systemd-sysusers: %w: %s", err, out), fmt.Errorf("useradd: %w: %s", second, more))
}

// removeAccount removes the account if this program created it, and gives its files in
// the folder to root, because the next account that is created may get the same number.
func removeAccount(data string) error {
	u, err := user.Lookup(accountName)
	if err != nil || u.Name != accountComment {
		return nil
	}
	uid, _ := strconv.Atoi(u.Uid) // decimal on Unix, as os/user documents
	if err := giveToRoot(data, uint32(uid)); err != nil {
		return fmt.Errorf("remove the account %s: %w", accountName, err)
	}
	if out, err := exec.Command("userdel", accountName).CombinedOutput(); err != nil {
		return fmt.Errorf("remove the account %s: %w: %s", accountName, err, out)
	}
	return nil
}

// giveToRoot changes the owner of all files of an account in a folder, which may be missing.
func giveToRoot(dir string, uid uint32) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = os.Lstat(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != uid {
			return nil
		}
		return os.Lchown(path, 0, 0)
	})
}

// isAdmin reports whether this process may control the services of the machine.
func isAdmin() bool { return os.Geteuid() == 0 }

// checkOwners does nothing: the unit changes the owner of every file.
func checkOwners(string) error { return nil }

// grantAccess does nothing: the unit gives the folder to the account at each start.
func grantAccess(string) error { return nil }

// removeRunlevels removes the links of the runlevels, which the library does not remove.
func removeRunlevels(etc string) {
	links, _ := filepath.Glob(filepath.Join(etc, "rc[0-6].d", "[SK][0-9][0-9]"+Name)) // the pattern is valid
	for _, link := range links {
		if info, err := os.Lstat(link); err == nil && info.Mode().Type() == fs.ModeSymlink {
			_ = os.Remove(link)
		}
	}
}

// removeState removes the state that the service manager keeps: systemd for a failed service, System V for
// any service.
func (u Setup) removeState() {
	switch service.Platform() {
	case systemd:
	case systemV:
		removeRunlevels("/etc")
		return
	default:
		return
	}
	arguments := []string{"reset-failed", Name + ".service"}
	if u.User {
		arguments = append(arguments, "--user")
	}
	_ = exec.Command("systemctl", arguments...).Run() // fails if there is no state to remove
}
