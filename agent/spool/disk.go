package spool

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/agent/durable"
)

// FS is the file system interface of a spool. Names are relative to the spool and use
// slashes.
type FS interface {
	MkdirAll(dir string) error
	// ReadDir lists the files of dir without its folders.
	ReadDir(dir string) ([]File, error)
	ReadFile(name string) ([]byte, error)
	// WriteSync creates a file and returns when its content is on disk.
	WriteSync(name string, data []byte) error
	// AppendSync appends to a file, and creates it if necessary.
	AppendSync(name string, data []byte) error
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir returns when the names in dir are on disk.
	SyncDir(dir string) error
}

// File is one file of a folder.
type File struct {
	Name  string
	Bytes int64
}

// Open opens the spool in the folder dir on the real disk.
func Open(ctx context.Context, dir string, limits Limits, log *slog.Logger) (*Spool, error) {
	if err := durable.MkdirPrivate(dir); err != nil {
		return nil, diskError("open spool", err)
	}
	return New(ctx, Config{FS: disk(dir), Lock: lockFolder(dir), Limits: limits, Now: time.Now, Log: log})
}

// disk is the FS below a folder.
type disk string

func (d disk) at(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

func (d disk) MkdirAll(dir string) error { return durable.MkdirPrivate(d.at(dir)) }

func (d disk) ReadDir(dir string) ([]File, error) {
	entries, err := os.ReadDir(d.at(dir))
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // another process has just moved it
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			files = append(files, File{Name: e.Name(), Bytes: info.Size()})
		}
	}
	return files, nil
}

func (d disk) ReadFile(name string) ([]byte, error) { return os.ReadFile(d.at(name)) }

func (d disk) WriteSync(name string, data []byte) error {
	return d.write(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, data)
}

func (d disk) AppendSync(name string, data []byte) error {
	return d.write(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, data)
}

func (d disk) write(name string, flag int, data []byte) error {
	f, err := durable.OpenFile(d.at(name), flag)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (d disk) Rename(from, to string) error { return durable.Rename(d.at(from), d.at(to)) }
func (d disk) Remove(name string) error     { return durable.Remove(d.at(name)) }
func (d disk) SyncDir(dir string) error     { return durable.SyncDir(d.at(dir)) }
