package client

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// A network on this machine is asked for the key that vouches for its answers. Nobody may answer in its
// place: its name is not looked up, since DNS servers answer for x.localhost, too, and no proxy is used.

// dialTimeout is how long a connection may take to come about.
const dialTimeout = 10 * time.Second

var (
	loopbackTransport = func() *http.Transport {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.Proxy, t.DialContext = nil, dialLoopback
		return t
	}()
	remoteTransport = http.DefaultTransport.(*http.Transport).Clone()
)

// transportFor returns how requests to a URL travel.
func transportFor(u *url.URL) http.RoundTripper {
	if Loopback(u.Hostname()) {
		return loopbackTransport
	}
	return remoteTransport
}

// dialLoopback connects to this machine, whatever name below localhost is asked for.
func dialLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !Loopback(host) {
		return nil, errors.New(host + " is not an address of this machine")
	}
	addresses := []string{"127.0.0.1", "::1"}
	if net.ParseIP(host) != nil {
		addresses = []string{host}
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	var errs []error
	for _, ip := range addresses {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(ip, port))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errs[0]
}

// HTTPClient returns a client for pages at a URL, which on this machine are reached as networks are: by no name
// server and no proxy. It follows no redirection.
func HTTPClient(u *url.URL) *http.Client {
	return &http.Client{CheckRedirect: noRedirect, Transport: transportFor(u), Timeout: statusTimeout}
}
