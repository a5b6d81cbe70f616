// Package fetch performs the HTTP outcalls that package outcall describes.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"kedge/replica/outcall"
	"kedge/replica/reject"
)

// Timeout is how long an outcall may take, unless the client has a timeout of its own.
const Timeout = 30 * time.Second

// Client makes the client of outcalls from one that a program brought; nil stands for one of the standard
// library. Outcalls follow no redirects, keep no cookies, and get bodies as they were sent, not unpacked.
func Client(brought *http.Client) *http.Client {
	var c http.Client
	if brought != nil {
		c = *brought
	}
	if c.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.DisableCompression = true
		c.Transport = transport
	}
	if c.Timeout == 0 {
		c.Timeout = Timeout
	}
	c.Jar = nil
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// Do makes a request, which must have passed Check. Names of headers come back in lower case and in order.
func Do(ctx context.Context, client *http.Client, r *outcall.Request) (outcall.Response, *reject.Error) {
	request, err := http.NewRequestWithContext(ctx, strings.ToUpper(r.Method.String()), r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return outcall.Response{}, reject.New(outcall.Fatal, "Failed to parse URL: %s", err)
	}
	request.Header.Set("User-Agent", "ic/1.0")
	for _, h := range r.Headers {
		switch {
		case strings.EqualFold(h.Name, "user-agent"):
			request.Header.Set(h.Name, h.Value)
		case strings.EqualFold(h.Name, "host"):
			request.Host = h.Value
		default:
			request.Header.Add(h.Name, h.Value)
		}
	}
	answer, err := client.Do(request)
	if err != nil {
		return outcall.Response{}, failed(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return read(r, answer)
}

// read takes the response in, as far as the limits allow.
func read(r *outcall.Request, answer *http.Response) (outcall.Response, *reject.Error) {
	out := outcall.Response{Status: big.NewInt(int64(answer.StatusCode))}
	for _, name := range slices.Sorted(maps.Keys(answer.Header)) {
		for _, value := range answer.Header[name] {
			out.Headers = append(out.Headers, outcall.Header{Name: strings.ToLower(name), Value: value})
		}
	}
	// The standard library takes out what it understands itself; the canister is to see it, and pays for it.
	if answer.Close && answer.Header["Connection"] == nil && answer.ProtoAtLeast(1, 1) && answer.ProtoMajor == 1 {
		out.Headers = append(out.Headers, outcall.Header{Name: "connection", Value: "close"})
	}
	if len(answer.TransferEncoding) > 0 {
		out.Headers = append(out.Headers, outcall.Header{Name: "transfer-encoding", Value: strings.Join(answer.TransferEncoding, ", ")})
	}
	slices.SortStableFunc(out.Headers, func(a, b outcall.Header) int { return strings.Compare(a.Name, b.Name) })
	for _, h := range out.Headers {
		if len(h.Name) > outcall.MaxHeader || len(h.Value) > outcall.MaxHeader {
			return outcall.Response{}, reject.New(outcall.Fatal, "number of bytes to represent some http header name or value of the response exceeds %d: %d and %d",
				outcall.MaxHeader, len(h.Name), len(h.Value))
		}
	}
	limit, size := r.ResponseLimit(), uint64(outcall.HeadersSize(out.Headers))
	switch {
	case len(out.Headers) > outcall.MaxHeaders:
		return outcall.Response{}, reject.New(outcall.Fatal, "number of http headers %d of the response exceeds %d", len(out.Headers), outcall.MaxHeaders)
	case size > outcall.MaxHeaderBytes:
		return outcall.Response{}, reject.New(outcall.Fatal, "total number of bytes of all http headers of the response %d exceeds %d", size, outcall.MaxHeaderBytes)
	case size > limit:
		return outcall.Response{}, reject.New(outcall.Fatal, "Header size exceeds specified response size limit %d", limit)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, int64(limit-size)+1))
	if err != nil {
		return outcall.Response{}, failed(err)
	}
	if uint64(len(body)) > limit-size {
		return outcall.Response{}, reject.New(outcall.Fatal, "Http body exceeds size limit of %d bytes.", limit)
	}
	out.Body = body
	return out, nil
}

// failed is the refusal when the network let the request down. Another try may fare better.
func failed(err error) *reject.Error {
	var timeout net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return reject.New(outcall.Transient, "Canister http request timed out")
	}
	return reject.New(outcall.Transient, "Failed to perform the HTTP request: %s", err)
}
