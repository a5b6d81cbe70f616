package browser

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

// control serves what the stories cannot do from a browser: they stop and start the canister, move the clock, and
// have many anchors made. It returns the address.
func control(t testing.TB, h *harness.Harness) string {
	crowd := &crowd{h: h}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		query := r.URL.Query()
		var err error
		switch r.URL.Path {
		case "/stop":
			err = h.Net.StopCanister(ctx, h.Operator, h.Canister)
		case "/start":
			err = h.Net.StartCanister(ctx, h.Operator, h.Canister)
		case "/pass":
			var days int
			if days, err = strconv.Atoi(query.Get("days")); err == nil {
				h.Pass(time.Duration(days) * 24 * time.Hour)
			}
		case "/strangers":
			err = crowd.register(query)
		case "/list":
			err = crowd.list(query)
		case "/busy":
			err = busy(h, query)
		default:
			http.NotFound(w, r)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// crowd are strangers, who each have an anchor with one passkey that has signed.
type crowd struct {
	h        *harness.Harness
	anchors  []uint64
	passkeys []*harness.Device
}

// register makes n more strangers: /strangers?n=N.
func (c *crowd) register(query url.Values) error {
	n, err := strconv.Atoi(query.Get("n"))
	if err != nil {
		return err
	}
	for range n {
		name := fmt.Sprintf("stranger %d", len(c.anchors))
		id := sha256.Sum256([]byte(name))
		d := harness.NewDevice(name)
		d.Data.Pubkey, d.Data.CredentialID, d.Data.KeyType = harness.PasskeyKeyOf(name), id[:], kedge.KeyTypePlatform
		answer := kedge.ChallengeResult{Key: c.h.Challenge().ChallengeKey, Chars: "a"}
		response, err := c.h.TryRegister(d.Principal(), d, answer, nil)
		if err != nil {
			return err
		}
		if response.Tag != kedge.RegisterResponseTagRegistered {
			return fmt.Errorf("stranger %d is not registered: %s", len(c.anchors), response.Tag)
		}
		c.anchors, c.passkeys = append(c.anchors, response.Registered.UserNumber), append(c.passkeys, d)
	}
	return nil
}

// list has every stranger write somebody else's credential id on his own anchor, and makes sure that all of them
// are found by it, as anchors whose passkey has signed: /list?credential=HEX.
func (c *crowd) list(query url.Values) error {
	credential, err := hex.DecodeString(query.Get("credential"))
	if err != nil {
		return err
	}
	for i, d := range c.passkeys {
		d.Data.CredentialID = credential
		if err := c.h.Update(c.anchors[i], d, d); err != nil {
			return err
		}
	}
	proven, cursor := 0, (*uint64)(nil)
	for {
		reply, err := c.h.Query(c.passkeys[0].Principal(), "lookup_by_credential", kedge.EncodeLookupByCredentialArgs(credential, cursor))
		if err != nil {
			return err
		}
		matches, next, err := kedge.DecodeLookupByCredentialResult(reply)
		if err != nil {
			return err
		}
		for _, m := range matches {
			if m.Proven {
				proven++
			}
		}
		if cursor = next; cursor == nil {
			break
		}
	}
	if proven < len(c.anchors) {
		return fmt.Errorf("%d of %d strangers are found as proven", proven, len(c.anchors))
	}
	return nil
}

// busy fills the history of an anchor: as the device with this key it renames, protects and
// unprotects another device many times, and as often opens and closes registration mode, whose events are the shortest: /busy?anchor=N&key=HEX&times=N.
func busy(h *harness.Harness, query url.Values) error {
	anchor, err := strconv.ParseUint(query.Get("anchor"), 10, 64)
	if err != nil {
		return err
	}
	key, err := hex.DecodeString(query.Get("key"))
	if err != nil {
		return err
	}
	times, err := strconv.Atoi(query.Get("times"))
	if err != nil {
		return err
	}
	owner := &harness.Device{Data: kedge.DeviceData{Pubkey: key}}
	extra := harness.NewDevice("a machine that is often renamed")
	if err := h.Add(anchor, owner, extra); err != nil {
		return err
	}
	for i := range times {
		if err := h.Update(anchor, owner, extra.Renamed(fmt.Sprintf("name %d", i))); err != nil {
			return err
		}
		if err := h.Protect(anchor, owner, extra); err != nil {
			return err
		}
		if err := h.Unprotect(anchor, owner, extra); err != nil {
			return err
		}
	}
	for range times {
		if _, err := h.EnterMode(anchor, owner); err != nil {
			return err
		}
		if err := h.ExitMode(anchor, owner); err != nil {
			return err
		}
	}
	return nil
}
