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

// timeouts bound what a client may make the network wait for: slow clients must not hold connections for ever.
type timeouts struct {
	header time.Duration // to send the head of a request
	body   time.Duration // to send a whole request
	idle   time.Duration // to send the next request on a connection
}

var patience = timeouts{header: 30 * time.Second, body: 2 * time.Minute, idle: 3 * time.Minute}

// newServer returns what answers HTTP.
func newServer(handler http.Handler, limits timeouts) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: limits.header, ReadTimeout: limits.body, IdleTimeout: limits.idle}
}

// serve begins to answer HTTP.
func (n *Network) serve() error {
	listener := n.options.Listener
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", n.options.Listen); err != nil {
			return fmt.Errorf("listen on %q: %w", n.options.Listen, err)
		}
	}
	server := newServer(httpapi.New(backend{n}, httpapi.Options{Version: implementation, Log: n.options.Log, Other: gateway.New(backend{n})}), patience)
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
