package canister

import (
	"errors"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/cdk"
	"kedge/ic/principal"
)

// The sizes of the pages of look-ups.
const (
	maxMatches         = 16 // by credential id
	maxAnchorsOfCaller = 64
)

// readAnchor reads an anchor for everyone: nil for a number that is not given out.
func readAnchor(number uint64) *identity.Anchor {
	a, err := load(number)
	if err != nil {
		if !isUnknown(err) {
			must(err)
		}
		return nil
	}
	a.Refresh(call())
	return a
}

// isUnknown reports whether an error says that a number is not given out. It is a function of its own so
// that what errors.As points to is not allocated where there is no error.
func isUnknown(err error) bool {
	var notFound *storage.NotFoundError
	var outOfRange *storage.OutOfRangeError
	return errors.As(err, &notFound) || errors.As(err, &outOfRange)
}

// lookup answers with the devices, the one used last first.
func lookup() {
	number, err := kedge.DecodeLookupArgs(argument())
	must(err)
	a := readAnchor(number)
	if a == nil {
		cdk.Reply(kedge.AppendLookupResult(answer(), nil))
		return
	}
	devices := scratch.lookup[:0]
	for _, i := range byLastUse(a.Devices, scratch.order[:0]) {
		devices = append(devices, lookupTo(&a.Devices[i]))
	}
	cdk.Reply(kedge.AppendLookupResult(answer(), devices))
}

// byLastUse appends the places of devices in the order of their last use, those used last first, others in the order
// in which they were added. It sorts places because a device is large.
func byLastUse(devices []identity.Device, order []uint16) []uint16 {
	for i := range devices {
		order = append(order, uint16(i))
		for j := i; j > 0 && devices[order[j-1]].LastUsed < devices[i].LastUsed; j-- {
			order[j], order[j-1] = order[j-1], uint16(i)
		}
	}
	return order
}

func getAnchorCredentials() {
	number, err := kedge.DecodeGetAnchorCredentialsArgs(argument())
	must(err)
	result := kedge.AnchorCredentials{}
	if a := readAnchor(number); a != nil {
		for i := range a.Devices {
			d := &a.Devices[i]
			credential := kedge.WebAuthnCredential{CredentialID: d.CredentialID, Pubkey: d.PublicKey, Proven: boolean(d.Proven)}
			switch {
			case d.KeyType == identity.SeedPhrase:
				result.RecoveryPhrases = append(result.RecoveryPhrases, d.PublicKey)
			case d.CredentialID == nil:
			case d.Purpose == identity.Recovery:
				result.RecoveryCredentials = append(result.RecoveryCredentials, credential)
			default:
				result.Credentials = append(result.Credentials, credential)
			}
		}
	}
	cdk.Reply(kedge.AppendGetAnchorCredentialsResult(answer(), result))
}

func getAnchorInfo() {
	number, err := kedge.DecodeGetAnchorInfoArgs(argument())
	must(err)
	a, err := load(number)
	must(err)
	_, err = a.Authenticate(call())
	must(err)
	save(a)

	service := state.clock.Time
	info := kedge.IdentityAnchorInfo{
		Devices:     scratch.devices[:0],
		CreatedAt:   timestamp(&a.CreatedAt),
		Guard:       boolean(a.Guard),
		DeviceBound: boolean(a.DeviceBound),
	}
	for i := range a.Devices {
		info.Devices = append(info.Devices, deviceTo(a, &a.Devices[i], service))
	}
	if a.SessionLimit != 0 {
		limit := a.SessionLimit / second
		info.SessionLimitS = &limit
	}
	if contacts := a.RecoveryContacts(); contacts != nil {
		info.Contacts = contactsTo(contacts, service)
	}
	if r := a.Registration; r != nil {
		info.DeviceRegistration = &kedge.DeviceRegistrationInfo{Expiration: r.ExpiresAt}
		if r.Tentative != nil {
			tentative := dataTo(r.Tentative)
			info.DeviceRegistration.TentativeDevice = &tentative
		}
	}
	cdk.Reply(kedge.AppendGetAnchorInfoResult(answer(), info))
}

// lookupDeviceKey finds a passkey by its credential id, as its classic namesake does. Nobody proves
// possession when a device is added for them, so it answers only where exactly one match is proven.
func lookupDeviceKey() {
	id, err := kedge.DecodeLookupDeviceKeyArgs(argument())
	must(err)
	var found *kedge.DeviceKeyWithAnchor
	budget := budgetOf(queryBudget)
pages:
	for from, more := uint64(0), true; more; more = from != 0 {
		if !budget() {
			found = nil // who has so many anchors with this credential id is told of none
			break
		}
		var matches []storage.Match
		matches, from, err = state.store.LookupCredential(id, from, maxMatches)
		must(err)
		for _, m := range matches {
			switch {
			case !m.Proven: // nor are those after it
				break pages
			case found != nil:
				found = nil
				break pages
			}
			found = &kedge.DeviceKeyWithAnchor{Pubkey: m.PublicKey, AnchorNumber: m.Anchor}
		}
	}
	cdk.Reply(kedge.AppendLookupDeviceKeyResult(answer(), found))
}

func lookupByCredential() {
	id, cursor, err := kedge.DecodeLookupByCredentialArgs(argument())
	must(err)
	matches, next, err := state.store.LookupCredential(id, beginning(cursor), maxMatches)
	must(err)
	result := scratch.matches[:0] // most often there is one
	for _, m := range matches {
		result = append(result, kedge.CredentialMatch{Anchor: m.Anchor, Pubkey: m.PublicKey, Proven: m.Proven})
	}
	cdk.Reply(kedge.AppendLookupByCredentialResult(answer(), result, timestamp(&next)))
}

// beginning is where the page begins that a cursor names.
func beginning(cursor *uint64) uint64 {
	if cursor == nil {
		return 0
	}
	return *cursor
}

func lookupCaller() {
	cursor, err := kedge.DecodeLookupCallerArgs(argument())
	must(err)
	numbers, next, err := state.store.LookupCaller(cdk.Caller(), beginning(cursor), maxAnchorsOfCaller)
	must(err)
	cdk.Reply(kedge.AppendLookupCallerResult(answer(), numbers, timestamp(&next)))
}

// lookupCallerIdentityByRecoveryPhrase finds the anchor of somebody who has only the words. Like every look-up
// it is about no anchor, so it is no sign of life, and never chooses: a stranger may list the phrase's key on
// any number of anchors of his own, but there it is not proven.
func lookupCallerIdentityByRecoveryPhrase() {
	must(kedge.DecodeLookupCallerIdentityByRecoveryPhraseArgs(argument()))
	caller := cdk.Caller()
	var found []uint64
	for from, more := uint64(0), true; more && len(found) < 2; more = from != 0 {
		var numbers []uint64
		var err error
		numbers, from, err = state.store.LookupCaller(caller, from, maxAnchorsOfCaller)
		must(err)
		for _, number := range numbers {
			proven, phrase := provenOn(number, caller)
			if !proven { // nor is it on those after it
				from = 0
				break
			}
			if phrase {
				found = append(found, number)
			}
		}
	}
	var one *uint64
	if len(found) == 1 {
		one = &found[0]
	}
	cdk.Reply(kedge.AppendLookupCallerIdentityByRecoveryPhraseResult(answer(), one))
}

// provenOn reports whether the caller is a proven device of an anchor, and its recovery phrase.
func provenOn(number uint64, caller principal.Principal) (proven, phrase bool) {
	a, err := load(number)
	must(err)
	for i := range a.Devices {
		if d := &a.Devices[i]; d.Principal == caller {
			return d.Proven, d.KeyType == identity.SeedPhrase
		}
	}
	return false, false
}

func whoami() {
	must(kedge.DecodeWhoamiArgs(argument()))
	cdk.Reply(kedge.AppendWhoamiResult(answer(), cdk.Caller()))
}
