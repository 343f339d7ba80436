package main

import (
	"log/slog"
	"os"
	"runtime/debug"
)

const (
	reservedFiles   = 64  // descriptors for the store, the files and the log
	minConnections  = 16  // however few descriptors there are
	gcPercent       = 400 // a heap of a few megabytes would be collected many times a second otherwise
	sqliteHeapLimit = 96 << 20
	memoryHeapLimit = 512 << 20 // package memory keeps its links on the heap
	memoryGCPercent = 100       // so that what clients have sent does not stay below that limit
)

// limitMemory sets the heap size at which the garbage collector works harder, unless the environment has set one. It is a
// soft limit: what the store in memory needs beyond it is still allocated.
func limitMemory(store string) {
	percent := gcPercent
	if store == storeMemory {
		percent = memoryGCPercent
	}
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(percent)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); set {
		return
	}
	limit := int64(sqliteHeapLimit)
	if store == storeMemory {
		limit = memoryHeapLimit
	}
	debug.SetMemoryLimit(limit)
}

// limitConnections keeps the cap below the number of descriptors that the process may have.
func limitConnections(most int, logger *slog.Logger) int {
	files, ok := descriptorLimit()
	if !ok || uint64(most+reservedFiles) <= files {
		return most
	}
	allowed := minConnections
	if files > reservedFiles+minConnections {
		allowed = int(files) - reservedFiles
	}
	logger.Warn("the limit of open files allows fewer connections than -max-connections: raise it with ulimit -n",
		"connections", allowed, "open_files", files)
	return min(most, allowed)
}
