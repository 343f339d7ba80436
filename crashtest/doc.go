// Package crashtest holds what magiclink has acknowledged against what is left of it: after kill -9 under load, in a
// trace of the system calls, on disks that fail, fill up or hang, and in random concurrent histories. Each checker is
// itself checked against something that is broken on purpose.
//
// The tests need strace, gcc and the right to mount a file system. Where one is missing they are skipped, except with
// CI=true, where they fail; install.sh installs the first two.
package crashtest
