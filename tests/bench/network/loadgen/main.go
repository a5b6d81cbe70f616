// Command loadgen puts load on a network and prints what it measured as JSON. It is a program of its own so
// that make bench measures a network that does not share a process with its clients.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/tests/bench/network/load"
)

// longest bounds a run.
const longest = 2 * time.Minute

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func run() error {
	var p load.Plan
	flag.StringVar(&p.URL, "url", "", "where the network is")
	canister := flag.String("canister", "", "canister to talk to")
	query := flag.Bool("query", false, "send queries, not update calls")
	flag.StringVar(&p.Method, "method", "", "method")
	arg := flag.String("arg", "", "argument in hexadecimal")
	flag.IntVar(&p.Clients, "clients", 16, "clients")
	flag.IntVar(&p.Requests, "requests", 1000, "requests of all clients together")
	flag.Parse()
	var err error
	if p.Canister, err = principal.Parse(*canister); err != nil {
		return fmt.Errorf("--canister %q: %w", *canister, err)
	}
	if p.Arg, err = hex.DecodeString(*arg); err != nil {
		return fmt.Errorf("--arg %q: %w", *arg, err)
	}
	p.Type = request.Call
	if *query {
		p.Type = request.Query
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	figures, err := load.Run(ctx, p)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}
