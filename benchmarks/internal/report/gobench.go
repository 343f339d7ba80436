package report

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// GoBench returns every run in the format of Go's benchmarks, for benchstat: "benchstat -col /side" puts ours beside the floors.
func (p Page) GoBench() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\ncpu: %s\n", runtime.GOOS, runtime.GOARCH, p.Machine.CPU)
	for _, r := range p.Results {
		name := strings.ReplaceAll("Benchmark"+r.Section+"/"+r.Name, " ", "_")
		if !r.Plain {
			goBenchLines(&b, name+"/side=floor", r.Unit, r.Floor)
		}
		goBenchLines(&b, name+"/side=ours", r.Unit, r.Ours)
	}
	return b.Bytes()
}

func goBenchLines(b *bytes.Buffer, name, unit string, of measure.Spread) {
	factor := 1.0
	switch unit { // benchstat knows nanoseconds and bytes
	case "µs":
		factor, unit = 1e3, "ns/op"
	case "ms":
		factor, unit = 1e6, "ns/op"
	case "B":
		unit = "B/op"
	case "MB":
		factor, unit = 1e6, "B"
	case "/s":
		unit = "op/s"
	case "":
		unit = "value"
	}
	for _, value := range of.Values {
		fmt.Fprintf(b, "%s 1 %s %s\n", name, strconv.FormatFloat(factor*value, 'g', 6, 64), unit)
	}
}
