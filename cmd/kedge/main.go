// Command kedge is the command line of Kedge: it runs the local network, deploys the canister, and
// manages anchors, devices and recovery. Run kedge help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"kedge/cli"
)

func main() { os.Exit(doMain()) }

func doMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Main(ctx, cli.RealSystem())
}
