package keyagent

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"kedge/device"
)

// protocolVersion is in every answer; a client takes no other.
const protocolVersion = 1

// Limits of a frame, in bytes, and of what is in it.
const (
	maxRequest   = 16 << 10
	maxResponse  = 24 << 20 // an outline of the largest store
	maxChallenge = 4096
	maxSelector  = 2100 // the hexadecimal of the longest credential id, or a site and a user name
	maxName      = 64
	maxID        = 1023
)

// The operations.
const (
	opStatus = "status"
	opList   = "list"
	opDerive = "derive-public"
	opAssert = "assert"
	opLock   = "lock"
)

// request is what a client asks. Which fields are there depends on the operation.
type request struct {
	Op         string `json:"op"`
	Key        string `json:"key,omitempty"`
	Credential string `json:"credential,omitempty"` // a selector, see [device.SecurityKey.Select]
	ID         []byte `json:"id,omitempty"`
	Challenge  []byte `json:"challenge,omitempty"`
	Flags      byte   `json:"flags,omitempty"`
}

// response is what it gets.
type response struct {
	Version    int                       `json:"version"`
	Error      string                    `json:"error,omitempty"`
	Missing    bool                      `json:"missing,omitempty"` // the error is that there is no such credential
	Ended      bool                      `json:"ended,omitempty"`   // the error is that the agent holds nothing any more
	Status     *Status                   `json:"status,omitempty"`
	Outline    *device.Outline           `json:"outline,omitempty"`
	Credential *device.CredentialOutline `json:"credential,omitempty"`
	Assertion  *assertion                `json:"assertion,omitempty"`
}

type assertion struct {
	CredentialID      []byte `json:"credential_id"`
	AuthenticatorData []byte `json:"authenticator_data"`
	ClientDataJSON    []byte `json:"client_data_json"`
	Signature         []byte `json:"signature"`
}

// Status says what an agent holds.
type Status struct {
	Store  string    `json:"store"` // path of the file
	Ends   time.Time `json:"ends"`
	Locked bool      `json:"memory_locked"` // whether its memory stays out of swap space
	PID    int       `json:"pid"`
}

// parseRequest decodes a request and holds each field to its limit.
func parseRequest(text []byte) (request, error) {
	var r request
	if err := strict(text, &r); err != nil {
		return request{}, err
	}
	if len(r.Key) > maxName || len(r.Credential) > maxSelector || len(r.ID) > maxID || len(r.Challenge) > maxChallenge {
		return request{}, errors.New("a field of the request is too long")
	}
	named, nameless := r.Key != "" && r.Credential != "", r.Key == "" && r.Credential == ""
	signs, silent := len(r.Challenge) > 0 && len(r.ID) > 0, len(r.Challenge) == 0 && len(r.ID) == 0 && r.Flags == 0
	right := false
	switch r.Op {
	case opStatus, opList, opLock:
		right = nameless && silent
	case opDerive:
		right = named && silent
	case opAssert:
		right = named && signs
	default:
		return request{}, errors.New("there is no such request")
	}
	if !right {
		return request{}, fmt.Errorf("a request %q has other fields", r.Op)
	}
	return r, nil
}

// parseResponse decodes an answer.
func parseResponse(text []byte) (response, error) {
	var r response
	if err := strict(text, &r); err != nil {
		return response{}, err
	}
	if r.Version != protocolVersion {
		return response{}, fmt.Errorf("the agent speaks version %d of the protocol, this kedge speaks %d", r.Version, protocolVersion)
	}
	return r, nil
}

// strict decodes the one JSON value of a frame. The error says nothing of what was in it.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errors.New("the frame is not a message of the agent's protocol")
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the message")
	}
	return nil
}

// readFrame reads one frame of at most limit bytes. The error is io.EOF if the other end has closed before it.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > uint32(limit) {
		return nil, fmt.Errorf("a frame of %d bytes, the limit is %d", n, limit)
	}
	// What is announced is not taken before it comes.
	var text bytes.Buffer
	if _, err := io.CopyN(&text, r, int64(n)); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return text.Bytes(), nil
}

// writeFrame writes one frame.
func writeFrame(w io.Writer, message any, limit int) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(text) > limit {
		return fmt.Errorf("a frame of %d bytes, the limit is %d", len(text), limit)
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}
