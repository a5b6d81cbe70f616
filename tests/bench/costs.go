// Package bench measures what the canister's methods cost: instructions and pages, from the network's
// meter, which charges production's prices. `make bench` writes the figures to costs.txt; a test compares.
package bench

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/ic/principal"
	"kedge/replica/exec"
	"kedge/tests/harness"
)

// Cost is what one message costs.
type Cost struct {
	Method  string
	Devices int
	// Instructions are production's prices of instructions and system calls, without the charges for pages.
	Instructions uint64
	// Pages of 64 KiB that the message touched (read or wrote), and that it wrote.
	HeapRead, HeapWritten, StableRead, StableWritten uint64
}

func withoutPages(r exec.Report) uint64 { return r.Instructions - r.PageCharges }

// Measure runs every method that people use often, on a new anchor with the number of devices; the first
// time, with 3, installation and upgrade too.
func Measure(h *harness.Harness, devices int) []Cost {
	var costs []Cost
	add := func(method string, r exec.Report) {
		costs = append(costs, Cost{
			Method:        method,
			Devices:       devices,
			Instructions:  withoutPages(r),
			HeapRead:      r.HeapRead,
			HeapWritten:   r.HeapWritten,
			StableRead:    r.StableRead,
			StableWritten: r.StableWritten,
		})
	}
	note := func(method string, err error) {
		h.Helper()
		require.NoError(h, err, method)
		r, err := h.Net.LastReport(h.Canister)
		require.NoError(h, err)
		add(method, r)
	}
	if devices == 3 {
		add("install", h.Install)
		h.Upgrade()
		note("upgrade", nil)
		h.Pass(time.Second) // randomness is drawn
		_, err := h.Call(principal.Anonymous, "init_salt", kedge.EncodeInitSaltArgs())
		require.NoError(h, err)
	}

	// Anchors before this one, so that nothing is measured that only the first pays for.
	for i := range 5 {
		h.Register(typical(fmt.Sprintf("warm-up %d/%d", devices, i)))
	}
	first := typical(fmt.Sprintf("first of %d", devices))
	anchor := h.Register(first)
	note("register", nil)
	for i := 1; i < devices-1; i++ {
		require.NoError(h, h.Add(anchor, first, typical(fmt.Sprintf("device %d of %d", i, devices))))
	}
	last := typical(fmt.Sprintf("last of %d", devices))
	note("add", h.Add(anchor, first, last))
	note("update", h.Update(anchor, first, last.Renamed("Firefox on Linux")))
	_, err := h.Query(principal.Anonymous, "lookup", kedge.EncodeLookupArgs(anchor))
	note("lookup", err)
	_, err = h.TryInfo(anchor, first)
	note("get_anchor_info", err)

	reply, err := h.Call(first.Principal(), "prepare_delegation", kedge.EncodePrepareDelegationArgs(anchor, "https://nns.ic0.app", session, nil))
	note("prepare_delegation", err)
	_, expiration, err := kedge.DecodePrepareDelegationResult(reply)
	require.NoError(h, err)
	_, err = h.Query(first.Principal(), "get_delegation", kedge.EncodeGetDelegationArgs(anchor, "https://nns.ic0.app", session, expiration))
	note("get_delegation", err)
	_, err = h.Query(first.Principal(), "get_principal", kedge.EncodeGetPrincipalArgs(anchor, "https://nns.ic0.app"))
	note("get_principal", err)
	_, err = h.Query(principal.Anonymous, "lookup_by_credential", kedge.EncodeLookupByCredentialArgs(last.Data.CredentialID, nil))
	note("lookup_by_credential", err)

	note("remove", h.Remove(anchor, first, last))
	require.NoError(h, h.Add(anchor, first, last))
	note("protect", h.Protect(anchor, first, first))
	note("guard_set", h.Guard(anchor, first, true))
	_, err = h.Query(first.Principal(), "recovery_report", kedge.EncodeRecoveryReportArgs(anchor))
	note("recovery_report", err)

	// A passkey in the place of the last device attests.
	passkey, key := h.NewPasskey("passkey", true)
	require.NoError(h, h.Remove(anchor, first, last))
	require.NoError(h, h.Add(anchor, first, passkey))
	challenge, err := h.AskChallenge(anchor, passkey)
	note("attestation_challenge", err)
	_, err = h.Attest(anchor, passkey, h.AssertionBy(key, challenge.Challenge))
	note("attest", err)

	// As many recovery contacts as there may be, each of which approves a new key.
	var contacts []uint64
	var friends []*harness.Device
	for i := range identity.MaxContacts {
		friend := typical(fmt.Sprintf("friend %d of %d", i, devices))
		friends, contacts = append(friends, friend), append(contacts, h.Register(friend))
	}
	fresh := typical(fmt.Sprintf("new device of %d", devices))
	h.Pass(2 * time.Minute) // no signature is alive, so that what follows costs the same each time
	_, err = h.Query(principal.Anonymous, "lookup", kedge.EncodeLookupArgs(anchor))
	note("lookup:before", err)
	_, err = h.Call(passkey.Principal(), "prepare_delegation", kedge.EncodePrepareDelegationArgs(anchor, "https://nns.ic0.app", session, nil))
	note("prepare_delegation:before", err)
	note("contacts_set", h.SetContacts(anchor, first, identity.MaxContacts, 30, contacts...))
	note("contacts_agree", h.AgreeContacts(anchor, first, true))
	for i, friend := range friends[1:] {
		require.NoError(h, h.AcceptContact(anchor, contacts[i+1], friend))
		require.NoError(h, h.ApproveContact(anchor, contacts[i+1], friend, fresh.Principal()))
	}
	note("contact_accept", h.AcceptContact(anchor, contacts[0], friends[0]))
	note("contact_approve", h.ApproveContact(anchor, contacts[0], friends[0], fresh.Principal()))
	_, err = h.ContactStatus(anchor, &contacts[0], friends[0])
	note("contact_status", err)
	note("contact_withdraw", h.WithdrawContact(anchor, contacts[0], friends[0], false))
	require.NoError(h, h.ApproveContact(anchor, contacts[0], friends[0], fresh.Principal()))
	h.Pass(2 * time.Minute)
	_, err = h.Query(principal.Anonymous, "lookup", kedge.EncodeLookupArgs(anchor))
	note("lookup:contacts", err)
	_, err = h.Call(passkey.Principal(), "prepare_delegation", kedge.EncodePrepareDelegationArgs(anchor, "https://nns.ic0.app", session, nil))
	note("prepare_delegation:contacts", err)
	h.Pass(30*24*time.Hour + time.Minute)
	note("contacts_complete", h.CompleteContacts(anchor, fresh))
	return costs
}

// session is a session key of the usual kind: Ed25519 in DER.
var session = append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, make([]byte, 32)...)

// typical is a passkey as people have them: 96 bytes of key, 64 of credential id, an alias and an origin.
func typical(name string) *harness.Device {
	d := harness.NewDevice(name)
	d.Data.Pubkey = harness.PasskeyKeyOf(name)
	d.Data.CredentialID = []byte(fmt.Sprintf("%-64s", name))
	d.Data.Alias = "Chrome on macOS"
	d.Data.KeyType = kedge.KeyTypePlatform
	origin := "https://identity.example.org"
	d.Data.Origin = &origin
	return d
}

// Table renders costs, one a line; Parse reads them back.
func Table(costs []Cost) string {
	var b strings.Builder
	b.WriteString("method                devices instructions heap-read heap-written stable-read stable-written\n")
	for _, c := range costs {
		fmt.Fprintf(&b, "%-21s %7d %12d %9d %12d %11d %14d\n", c.Method, c.Devices, c.Instructions, c.HeapRead, c.HeapWritten, c.StableRead, c.StableWritten)
	}
	return b.String()
}

// Parse reads what Table wrote.
func Parse(text string) ([]Cost, error) {
	var costs []Cost
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		var c Cost
		if _, err := fmt.Sscan(line, &c.Method, &c.Devices, &c.Instructions, &c.HeapRead, &c.HeapWritten, &c.StableRead, &c.StableWritten); err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		costs = append(costs, c)
	}
	return costs, nil
}
