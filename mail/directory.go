package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink/internal/trustedfile"
	"github.com/magiclink-go/magiclink/signin"
)

// DirectoryConfig configures a [Directory].
type DirectoryConfig struct {
	// Path is the directory. It is made with mode 0700 if it is not there. Required. A directory that is there must be one that root or the user of
	// this process owns and that others cannot write.
	Path string

	// From, Templates and Now are those of [Config].
	From      string
	Templates fs.FS
	Now       func() time.Time

	// Written is called with the path of each file, when it is there. Calls may come at once. Optional.
	Written func(path string)
}

// Directory is a [signin.Mailer] for development: it sends nothing, and writes each mail into a file, which mail programs open. The files hold
// links and codes, each alone on its line: the text is not encoded, so that a plain text viewer shows a link that can be copied. They have mode 0600 and names that sort by time, such as 20300115T093000.000000000Z-1f6b….eml. Nothing removes them. A file
// is there with all its content or not at all. It is safe for concurrent use. The zero value writes nothing:
// its Send returns an error. Use [NewDirectory].
type Directory struct {
	writer  writer
	path    string
	written func(path string)

	mu   sync.Mutex
	last time.Time // that of the newest name
}

var _ signin.Mailer = (*Directory)(nil)

var errNoDirectory = errors.New("magiclink/mail: Directory is not initialized: use NewDirectory")

// letWrite is what to do about a directory that does not take a mail.
const letWrite = "let the user of this process write there, or name another directory"

// NewDirectory returns a Directory. It writes an empty file into the directory, and removes it: a directory that takes no mail is a fault. It
// reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewDirectory(config DirectoryConfig) (*Directory, error) {
	var faults faults
	writer := writerFor(config.From, config.Templates, config.Now, &faults)
	if config.Path == "" {
		faults.add("Path", "is required: name a directory for the mails")
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(config.Path, 0o700); err != nil {
		faults.add("Path", "cannot be made: "+err.Error()+": "+letWrite)
	} else if _, err := trustedfile.Read(filepath.Join(config.Path, "no such file")); !errors.Is(err, fs.ErrNotExist) {
		faults.add("Path", fmt.Sprintf("is not safe to write to: %v", err))
	} else if err := tryWrite(config.Path); err != nil {
		faults.add("Path", fmt.Sprintf("cannot be written to: %s: %v: %s", config.Path, err, letWrite))
	}
	writer.readable = true
	return &Directory{writer: writer, path: config.Path, written: config.Written}, faults.err()
}

// tryWrite returns why no file can be made in the directory.
func tryWrite(path string) error {
	file, err := os.CreateTemp(path, ".try.*")
	if fault, ok := errors.AsType[*fs.PathError](err); ok {
		return fault.Err // without the name, which is made up
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// Send writes a mail into a file. An error that matches [signin.ErrPermanent] says that the message has a fault.
func (d *Directory) Send(ctx context.Context, message signin.Message) error {
	if d == nil || d.writer.templates == nil {
		return errNoDirectory
	}
	letter, err := d.writer.write(message)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("magiclink/mail: writing the mail: %w", context.Cause(ctx))
	}
	path := filepath.Join(d.path, d.next().Format("20060102T150405.000000000Z")+"-"+letter.id[:8]+".eml")
	if err := trustedfile.Replace(path, letter.content); err != nil {
		return fmt.Errorf("magiclink/mail: writing the mail: %w", err)
	}
	if d.written != nil {
		d.written(path)
	}
	return nil
}

// next returns the time for the name of a file, later than every earlier one.
func (d *Directory) next() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.writer.now().UTC()
	if !now.After(d.last) {
		now = d.last.Add(time.Nanosecond)
	}
	d.last = now
	return now
}
