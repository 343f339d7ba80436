package magiclink_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestCredentialsAndAddressesAreNotPrinted(t *testing.T) {
	response := magiclink.MagicLinkResponse{MagicLink: "https://app.example.com/?token=canary", MagicLinkID: "mlk_1"}
	in := magiclink.MagicLinkCreate{Caller: caller("tenant-1", ""), Email: "canary@example.com", Path: "/canary"}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("issued", "link", response, "input", in)
	fmt.Fprintf(&log, "%v %+v %s", response, response, response)

	require.NotContains(t, log.String(), "canary")
	require.Contains(t, log.String(), "mlk_1")
	require.Contains(t, log.String(), "tenant-1")
}
