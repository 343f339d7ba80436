package report

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// Machine is where it was measured. It names no host and no path.
type Machine struct {
	CPU        string
	Cores      int
	Kernel     string
	FileSystem string
	Go, Node   string
	Load       string // the load averages of one minute
}

// Load returns how many programs wanted to run, on average, in the last minute.
func Load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// ReadMachine describes this machine, with the file system that the directory is on.
func ReadMachine(dir string) Machine {
	return Machine{
		CPU: cpu(), Cores: runtime.NumCPU(), Kernel: kernel(), FileSystem: fileSystem(dir),
		Go: strings.TrimPrefix(runtime.Version(), "go"), Node: node(),
	}
}

func cpu() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, model, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return "unknown"
}

func kernel() string {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	version, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-")
	return runtime.GOOS + " " + version
}

func fileSystem(dir string) string {
	var stat syscall.Statfs_t
	if syscall.Statfs(dir, &stat) != nil {
		return "unknown"
	}
	names := map[int64]string{0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x1021994: "tmpfs", 0x794c7630: "overlay"}
	if name := names[int64(stat.Type)]; name != "" {
		return name
	}
	return "unknown"
}

func node() string {
	version, err := exec.Command("node", "--version").Output()
	if err != nil {
		return "none"
	}
	return strings.TrimPrefix(strings.TrimSpace(string(version)), "v")
}
