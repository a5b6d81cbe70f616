package canister

import (
	"strconv"

	"kedge/candid/kedge"
	"kedge/cdk"
)

func stats() {
	must(kedge.DecodeStatsArgs(cdk.Arg()))
	lo, hi := state.store.Range()
	cdk.Reply(kedge.EncodeStatsResult(kedge.InternetIdentityStats{
		UsersRegistered:         uint64(state.store.Count()),
		StorageLayoutVersion:    uint8(state.store.Layout()),
		AssignedUserNumberRange: kedge.AnchorRange{F0: lo, F1: hi},
	}))
}

func config() {
	must(kedge.DecodeConfigArgs(cdk.Arg()))
	lo, hi := state.store.Range()
	s := state.settings
	s.AssignedUserNumberRange = &kedge.AnchorRange{F0: lo, F1: hi}
	cdk.Reply(kedge.EncodeConfigResult(s))
}

// metrics keep the names of Internet Identity, so that its dashboards go on working.
func metrics() []byte {
	lo, hi := state.store.Range()
	var b []byte
	gauge := func(name, help string, value uint64) {
		name = "internet_identity_" + name
		b = append(b, "# HELP "+name+" "+help+"\n# TYPE "+name+" gauge\n"+name+" "...)
		b = strconv.AppendUint(b, value, 10)
		b = append(b, ' ')
		b = strconv.AppendUint(b, cdk.Time()/1_000_000, 10)
		b = append(b, '\n')
	}
	gauge("user_count", "Number of users registered in this canister.", uint64(state.store.Count()))
	gauge("min_user_number", "The lowest Identity Anchor served by this canister.", lo)
	gauge("max_user_number", "The highest Identity Anchor that can be served by this canister.", hi-1)
	gauge("signature_count", "Number of active signatures issued by this canister.", uint64(state.signatures.Len()))
	gauge("inflight_challenges", "Number of captchas that wait for an answer.", uint64(len(state.admission.captchas.Pending)))
	gauge("stable_memory_pages", "Number of stable memory pages used by this canister.", cdk.Stable().Pages())
	gauge("last_upgrade_timestamp", "Timestamp of the last canister upgrade in nanoseconds since epoch.", state.upgradedAt)
	gauge("storage_layout_version", "The layout version of the stable memory.", uint64(state.store.Layout()))
	gauge("service_time_seconds", "Time in which this canister could answer, in seconds.", state.clock.Time/second)
	return b
}
