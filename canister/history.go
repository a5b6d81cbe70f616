package canister

import (
	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/cdk"
	"kedge/ic/principal"
)

// maxHistory is the most entries in one answer.
const maxHistory = 100

func history() {
	number, from, most, err := kedge.DecodeHistoryArgs(argument())
	must(err)
	var first uint64
	if from != nil {
		first = *from
	}
	limit := int(min(most, maxHistory))
	if _, err := recognise(number); err != nil {
		cdk.Reply(kedge.AppendHistoryResult(answer(), kedge.HistoryResult{Tag: kedge.HistoryResultTagErr, Err: refusal(err)}))
		return
	}
	kept, err := state.store.History(number, first, limit)
	if err != nil {
		cdk.Reply(kedge.AppendHistoryResult(answer(), kedge.HistoryResult{Tag: kedge.HistoryResultTagErr, Err: refusal(err)}))
		return
	}
	result := kedge.History{
		Entries:         make([]kedge.HistoryEntry, len(kept.Events)),
		DroppedRoutine:  kept.LostRoutine,
		DroppedSecurity: kept.LostSecurity,
	}
	for i := range kept.Events {
		result.Entries[i] = entryTo(&kept.Events[i])
	}
	if n := len(kept.Events); n > 0 && kept.Events[n-1].Number+1 < kept.Next {
		next := kept.Events[n-1].Number + 1
		result.Next = &next
	}
	cdk.Reply(kedge.AppendHistoryResult(answer(), kedge.HistoryResult{Tag: kedge.HistoryResultTagOk, Ok: result}))
}

func entryTo(e *storage.NumberedEvent) kedge.HistoryEntry {
	entry := kedge.HistoryEntry{
		Number:       e.Number,
		At:           e.At,
		TemporaryKey: e.Temporary,
		By:           optionalPrincipal(&e.By),
		Device:       optionalPrincipal(&e.Device),
		Other:        optionalPrincipal(&e.Other),
		Until:        timestamp(&e.Until),
	}
	if e.Kind != 0 && e.Kind < identity.EventKinds { // else a kind of a newer build
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
