// A library for LD_PRELOAD that makes the disk under SQLite fail. A fault is on while a file of its name exists in the
// directory CRASHTEST_FAULTS. It concerns files whose names end with "-wal".
//
//   sync-eio       syncing fails with EIO
//   sync-hang      syncing takes until the file is gone; meanwhile there is a file "hangs"
//   write-enospc   writing fails with ENOSPC
//   write-torn     of each page the first half is written, and ENOSPC comes after it
//
// What a loss of power would leave of the log is kept beside it, in a file with ".disk" after its name: the pages that
// were synced. As in Linux, pages whose sync has failed count as clean: a later sync does not write them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { PAGE = 4096, LARGEST_HEADER = 32, PAGES = 1 << 16 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char dirty[PAGES]; // of the log

static int on(const char *fault) {
	const char *directory = getenv("CRASHTEST_FAULTS");
	char path[4096];
	if (directory == NULL) return 0;
	snprintf(path, sizeof path, "%s/%s", directory, fault);
	int before = errno, found = access(path, F_OK) == 0;
	errno = before;
	return found;
}

// Makes a file beside the faults.
static void report(const char *what) {
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", getenv("CRASHTEST_FAULTS"), what);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd >= 0) close(fd);
}

static int name_of(int fd, char *path, size_t size) {
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	int before = errno;
	ssize_t n = readlink(link, path, size - 1);
	errno = before;
	path[n < 0 ? 0 : n] = 0;
	return n;
}

static int concerned(int fd) {
	char path[4096];
	int n = name_of(fd, path, sizeof path);
	return n >= 4 && strcmp(path + n - 4, "-wal") == 0;
}

static void soil(int fd, off64_t at, ssize_t n) {
	if (n <= 0 || !concerned(fd)) return;
	pthread_mutex_lock(&mutex);
	for (off64_t page = at / PAGE; page <= (at + n - 1) / PAGE && page < PAGES; page++) dirty[page] = 1;
	pthread_mutex_unlock(&mutex);
}

// Cleans all pages of the log, and keeps them if the sync has succeeded.
static void clean(int fd, int keep) {
	char path[4096 + 8], page[PAGE];
	int disk = -1;
	ssize_t n;
	if (!concerned(fd)) return;
	if (keep && name_of(fd, path, 4096) > 0) disk = open(strcat(path, ".disk"), O_WRONLY | O_CREAT, 0600);
	pthread_mutex_lock(&mutex);
	for (off64_t i = 0; i < PAGES; i++) {
		if (dirty[i] && disk >= 0 && (n = pread64(fd, page, PAGE, i * PAGE)) > 0 && pwrite64(disk, page, n, i * PAGE) != n) abort();
		dirty[i] = 0;
	}
	pthread_mutex_unlock(&mutex);
	if (disk >= 0) close(disk);
}

static int sync_fails(int fd) {
	if (!concerned(fd)) return 0;
	while (on("sync-hang")) {
		report("hangs");
		usleep(5000);
	}
	if (!on("sync-eio")) return 0;
	clean(fd, 0);
	errno = EIO;
	return 1;
}

// Returns how many of n bytes may be written, -1 for none.
static ssize_t room(int fd, size_t n) {
	if (concerned(fd)) {
		if (on("write-torn") && n == PAGE) return n / 2;
		if (on("write-enospc") || (on("write-torn") && n > LARGEST_HEADER)) {
			errno = ENOSPC;
			return -1;
		}
	}
	return n;
}

int fsync(int fd) {
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	if (sync_fails(fd)) return -1;
	int result = real(fd);
	clean(fd, result == 0);
	return result;
}

int fdatasync(int fd) {
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	if (sync_fails(fd)) return -1;
	int result = real(fd);
	clean(fd, result == 0);
	return result;
}

ssize_t write(int fd, const void *data, size_t n) {
	ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	ssize_t fits = room(fd, n);
	return fits < 0 ? -1 : real(fd, data, fits);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
	ssize_t (*real)(int, const void *, size_t, off_t) = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
	ssize_t fits = room(fd, n), done = fits < 0 ? -1 : real(fd, data, fits, at);
	soil(fd, at, done);
	return done;
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
	ssize_t (*real)(int, const void *, size_t, off64_t) =
		(ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
	ssize_t fits = room(fd, n), done = fits < 0 ? -1 : real(fd, data, fits, at);
	soil(fd, at, done);
	return done;
}
