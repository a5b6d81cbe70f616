package main

import (
	"kedge/candid"
	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/cdk"
	"kedge/ic/principal"
)

// maxHistory is the most entries in one answer.
const maxHistory = 100

func history() {
	number, from, most, err := candid.DecodeHistoryArgs(argument())
	must(err)
	var first uint64
	if from != nil {
		first = *from
	}
	limit := int(min(most, maxHistory))
	if _, err := inspect(number); err != nil {
		cdk.Reply(candid.AppendHistoryResult(answer(), candid.HistoryResult{Tag: candid.HistoryResultTagErr, Err: refusal(err)}))
		return
	}
	kept, err := kedge.store.History(number, first, limit)
	if err != nil {
		cdk.Reply(candid.AppendHistoryResult(answer(), candid.HistoryResult{Tag: candid.HistoryResultTagErr, Err: refusal(err)}))
		return
	}
	result := candid.History{
		Entries:        make([]candid.HistoryEntry, len(kept.Events)),
		DroppedRoutine: kept.LostRoutine,
		DroppedWeighty: kept.LostWeighty,
	}
	for i := range kept.Events {
		result.Entries[i] = entryTo(&kept.Events[i])
	}
	if n := len(kept.Events); n > 0 && kept.Events[n-1].Number+1 < kept.Next {
		next := kept.Events[n-1].Number + 1
		result.Next = &next
	}
	cdk.Reply(candid.AppendHistoryResult(answer(), candid.HistoryResult{Tag: candid.HistoryResultTagOk, Ok: result}))
}

func entryTo(e *storage.NumberedEvent) candid.HistoryEntry {
	entry := candid.HistoryEntry{
		Number:       e.Number,
		At:           e.At,
		TemporaryKey: e.Temporary,
		By:           optionalPrincipal(&e.By),
		Device:       optionalPrincipal(&e.Device),
		Other:        optionalPrincipal(&e.Other),
		Until:        timestamp(&e.Until),
	}
	if e.Kind != 0 && int(e.Kind) < len(eventKinds) { // else a kind of a newer build
		entry.Kind = &eventKinds[e.Kind]
	}
	return entry
}

func optionalPrincipal(p *principal.Principal) *principal.Principal {
	if *p == (principal.Principal{}) {
		return nil
	}
	return p
}

// eventKinds begins with a kind that no event has.
var eventKinds = [...]candid.EventKind{
	identity.EventRegistered:         candid.EventKindRegistered,
	identity.EventAdded:              candid.EventKindAdded,
	identity.EventUpdated:            candid.EventKindUpdated,
	identity.EventReplaced:           candid.EventKindReplaced,
	identity.EventRemoved:            candid.EventKindRemoved,
	identity.EventProtected:          candid.EventKindProtected,
	identity.EventUnprotected:        candid.EventKindUnprotected,
	identity.EventLapsed:             candid.EventKindLapsed,
	identity.EventGuardOn:            candid.EventKindGuardOn,
	identity.EventGuardOff:           candid.EventKindGuardOff,
	identity.EventDeviceBoundOn:      candid.EventKindDeviceBoundOn,
	identity.EventDeviceBoundOff:     candid.EventKindDeviceBoundOff,
	identity.EventSessionLimit:       candid.EventKindSessionLimit,
	identity.EventConsented:          candid.EventKindConsented,
	identity.EventConsentWithdrawn:   candid.EventKindConsentWithdrawn,
	identity.EventRequested:          candid.EventKindReleaseRequested,
	identity.EventCancelled:          candid.EventKindReleaseCancelled,
	identity.EventReleased:           candid.EventKindReleased,
	identity.EventAttested:           candid.EventKindAttested,
	identity.EventRegistrationOpened: candid.EventKindRegistrationOpened,
	identity.EventRegistrationClosed: candid.EventKindRegistrationClosed,
	identity.EventRestored:           candid.EventKindRestored,
	identity.EventDropped:            candid.EventKindDropped,
}
