package identity

// The names of the rules' values are stable: each is the tag of its case in Candid, by which the canister finds it.

var eventNames = [EventKinds]string{
	EventRegistered:         "registered",
	EventAdded:              "added",
	EventUpdated:            "updated",
	EventReplaced:           "replaced",
	EventRemoved:            "removed",
	EventProtected:          "protected",
	EventUnprotected:        "unprotected",
	EventLapsed:             "lapsed",
	EventGuardOn:            "guard_on",
	EventGuardOff:           "guard_off",
	EventDeviceBoundOn:      "device_bound_on",
	EventDeviceBoundOff:     "device_bound_off",
	EventSessionLimit:       "session_limit",
	EventConsented:          "consented",
	EventConsentWithdrawn:   "consent_withdrawn",
	EventRequested:          "release_requested",
	EventCancelled:          "release_cancelled",
	EventReleased:           "released",
	EventAttested:           "attested",
	EventRegistrationOpened: "registration_opened",
	EventRegistrationClosed: "registration_closed",
	EventRestored:           "restored",
	EventDropped:            "dropped",
	EventContactsSet:        "contacts_set",
	EventContactsAgreed:     "contacts_agreed",
	EventContactsDisagreed:  "contacts_disagreed",
	EventContactsEnded:      "contacts_ended",
	EventContactActed:       "contact_acted",
	EventContactVetoed:      "contact_vetoed",
	EventRecovered:          "recovered",
}

var warningNames = [Warnings]string{
	WarnVetoForEver:    "veto_for_ever",
	WarnThresholdOne:   "threshold_of_one",
	WarnThresholdAll:   "threshold_of_all",
	WarnDelay:          "delay_longer_than_release",
	WarnNotAgreed:      "not_agreed",
	WarnSharedDevice:   "shared_device",
	WarnEachOthersOnly: "each_others_only",
}

var (
	protectionNames = [Protections]string{"unmarked", "unproven", "marked"}
	keyTypeNames    = [KeyTypes]string{"unknown", "platform", "cross_platform", "seed_phrase", "browser_storage_key"}
	purposeNames    = [Purposes]string{"authentication", "recovery"}
)

// String is the name of the kind, empty for none.
func (k EventKind) String() string { return eventNames[k] }

// String is the name of the kind.
func (k WarningKind) String() string { return warningNames[k] }

// String is the name of the summary.
func (p Protection) String() string { return protectionNames[p] }

// String is the name of the key type.
func (t KeyType) String() string { return keyTypeNames[t] }

// String is the name of the purpose.
func (p Purpose) String() string { return purposeNames[p] }
