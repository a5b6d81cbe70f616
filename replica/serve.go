package replica

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"kedge/replica/gateway"
	"kedge/replica/httpapi"
)

// headerTimeout is how long a client may take to send the head of a request.
const headerTimeout = 30 * time.Second

// bodyTimeout is how long a client may take to send a whole request, and idleTimeout how long a connection may be
// without one: slow clients must not hold connections for ever.
const (
	bodyTimeout = 2 * time.Minute
	idleTimeout = 3 * time.Minute
)

// serve begins to answer HTTP.
func (n *Network) serve() error {
	listener := n.options.Listener
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", n.options.Listen); err != nil {
			return fmt.Errorf("listen on %q: %w", n.options.Listen, err)
		}
	}
	server := &http.Server{
		Handler:           httpapi.New(backend{n}, httpapi.Options{Version: implementation, Log: n.options.Log, Other: gateway.New(backend{n})}),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		IdleTimeout:       idleTimeout,
	}
	// Clients ask for a certified state before they ask for anything else.
	n.lock.Lock()
	n.listener, n.server = listener, server
	n.snapshot(0)
	n.lock.Unlock()
	n.ended.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			n.complain("stopped serving HTTP: %v", err)
		}
	})
	return nil
}

// complain writes what has gone wrong to the log.
func (n *Network) complain(format string, args ...any) {
	if n.options.Log != nil {
		// Nobody can be told that the log itself cannot be written.
		_, _ = fmt.Fprintf(n.options.Log, format+"\n", args...)
	}
}

// URL returns where the network serves HTTP, for instance "http://127.0.0.1:4943"; it is empty if it does
// not.
func (n *Network) URL() string {
	if n.listener == nil {
		return ""
	}
	return "http://" + n.listener.Addr().String()
}
