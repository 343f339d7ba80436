package trustedfile

import "io/fs"

// CheckFile checks a file as a process of the user does.
func CheckFile(mode fs.FileMode, owner, user int, secret bool) error {
	return facts{"file", mode, owner}.checkFile(owners{0, user}, secret)
}

// CheckFolder checks a directory as a process of the user does.
func CheckFolder(mode fs.FileMode, owner, user int) error {
	return facts{"folder", mode, owner}.checkFolder(owners{0, user})
}

// Follow resolves links as a process of the user does, and reports whether the user may own the file.
func Follow(folder, name string, user int) (path string, may bool, err error) {
	path, allowed, err := follow(folder, name, owners{0, user})
	return path, facts{owner: user}.ownedBy(allowed), err
}
