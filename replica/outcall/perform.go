package outcall

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

// Perform makes the request, which must have passed Check. Names of headers come back in lower case and in
// order.
func (r *Request) Perform(ctx context.Context, client *http.Client) (Response, *reject.Error) {
	request, err := http.NewRequestWithContext(ctx, strings.ToUpper(r.Method.String()), r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return Response{}, reject.New(fatal, "Failed to parse URL: %s", err)
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
		return Response{}, failed(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return r.read(answer)
}

// read takes the response in, as far as the limits allow.
func (r *Request) read(answer *http.Response) (Response, *reject.Error) {
	out := Response{Status: big.NewInt(int64(answer.StatusCode))}
	for _, name := range slices.Sorted(maps.Keys(answer.Header)) {
		for _, value := range answer.Header[name] {
			out.Headers = append(out.Headers, Header{strings.ToLower(name), value})
		}
	}
	limit, size := r.ResponseLimit(), uint64(headersSize(out.Headers))
	switch {
	case len(out.Headers) > MaxHeaders:
		return Response{}, reject.New(fatal, "number of http headers %d of the response exceeds %d", len(out.Headers), MaxHeaders)
	case size > maxAllNames:
		return Response{}, reject.New(fatal, "total number of bytes of all http headers of the response %d exceeds %d", size, maxAllNames)
	case size > limit:
		return Response{}, reject.New(fatal, "Header size exceeds specified response size limit %d", limit)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, int64(limit-size)+1))
	if err != nil {
		return Response{}, failed(err)
	}
	if uint64(len(body)) > limit-size {
		return Response{}, reject.New(fatal, "Http body exceeds size limit of %d bytes.", limit)
	}
	out.Body = body
	return out, nil
}

// failed is the refusal when the network let the request down. Another try may fare better.
func failed(err error) *reject.Error {
	var timeout net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return reject.New(transient, "Canister http request timed out")
	}
	return reject.New(transient, "Failed to perform the HTTP request: %s", err)
}

// Interrupted is the refusal of a request that was under way when its network ended.
func Interrupted() *reject.Error {
	return reject.New(transient, "The network ended before the HTTP request was answered; whether the server saw it is not known")
}

// TooLarge is the refusal when a transform function returned more than a response may hold.
func TooLarge(size int) *reject.Error {
	return reject.New(fatal, "Transformed http response exceeds limit: %d bytes are more than %d", size, MaxResponse)
}
