package classic

import "strings"

// Difference is where Kedge deliberately does not do what Internet Identity does. Rules are those of the
// design.
type Difference struct {
	Methods          []string
	InternetIdentity string // its newest build, unless a year is named
	Kedge            string
	Why              string
	Test             string // of this package, that shows it
}

// absent are the methods of the classic interface that Kedge does not have.
var absent = []string{
	"deploy_archive", "fetch_entries", "acknowledge_entries",
}

// Differences is the table of docs/differences.md.
var Differences = []Difference{
	{[]string{"register", "add", "update", "replace"},
		"only recovery phrases can be protected",
		"a device of any kind can",
		"rule 9: a hardware key or a passkey may be what must not be lost",
		"should_protect_any_kind_of_device"},
	{[]string{"add", "update", "replace"},
		"any device may add a protected phrase, or protect one that is there",
		"the first device is protected by its own call; afterwards a protected device protects others",
		"rule 2: a thief cannot plant a device that its owner cannot remove",
		"should_not_protect_another_device"},
	{[]string{"update"},
		"the key type may change",
		"traps: `Device key type cannot be updated; replace the device instead.`",
		"rule 4: otherwise the rule of one phrase can be dodged",
		"should_not_change_key_type_by_update"},
	{[]string{"remove"},
		"the last device can be removed; the anchor is dead for ever",
		"traps: `the last device of an anchor cannot be removed; add another first, or replace it`",
		"rule 5",
		"should_not_remove_last_device"},
	{[]string{"add", "update", "replace", "remove", "enter_device_registration_mode", "exit_device_registration_mode", "verify_tentative_device"},
		"every device may change every other that is not protected",
		"the same, until the owner switches the guard on; then a device that is not protected changes its own alias and removes itself, no more",
		"rule 3: two tiers, for those who want them",
		"should_refuse_unprotected_devices_while_guarded"},
	{[]string{"register", "add", "replace", "update", "add_tentative_device"},
		"two devices of an anchor may have one credential id",
		"traps: `Another device of this anchor has this credential id: …`",
		"rule 4: a credential id names one device",
		"should_not_add_a_credential_id_twice"},
	{[]string{"add", "update", "replace", "add_tentative_device"},
		"a passkey's public key may be on one anchor only (since 2026-03)",
		"it may be on many, as before",
		"rule 10: otherwise whoever registers somebody's key first shuts its owner out",
		"should_add_a_device_to_many_anchors"},
	{[]string{"register", "add", "replace", "add_tentative_device"},
		"any key can be a device",
		"a canister signature of this canister is refused",
		"rule 10: signing in to an application must not act as a device",
		"should_not_add_its_own_signature_as_device"},
	{[]string{"register", "add", "update", "replace", "add_tentative_device"},
		"the public key is any bytes",
		"with a new credential id it is a key with which somebody can sign, in any form that the network reads; else traps: `A device with a credential id needs a public key that can sign: …`. Devices that an import brought stay",
		"devices that cost their maker nothing would crowd the look-ups by credential id",
		"should_refuse_keys_that_never_sign"},
	{[]string{"register", "add", "update", "replace", "add_tentative_device"},
		"at most 20 devices, 5,000 bytes of variable fields, credential ids of 350 bytes (since 2026-01)",
		"at most 10 devices, 2,500 bytes, credential ids of 1,023 bytes",
		"devices and bytes as in its builds of 2025, so that going back to any of them is possible; credential ids as long as WebAuthn allows",
		"should_enforce_max_number_of_devices"},
	{[]string{"register", "add", "update", "replace"},
		"metadata is accepted and dropped (since 2026-01)",
		"it is kept, and counts towards the bytes, each entry with 5 more",
		"what is accepted is kept",
		"should_update_device"},
	{[]string{"register"},
		"a temporary key does everything but change its device if that is protected",
		"it never changes its own device, protects, or opens, closes or finishes registration mode, and ends when its device is protected; it survives upgrades, and cannot be the anonymous principal",
		"rule 7: it proves no possession",
		"should_end_with_protection"},
	{[]string{"register"},
		"without configuration one registration in 10 s, 20,000 at once",
		"the same on mainnet, from installation on; without configuration no limit on other networks",
		"tests and local networks register many; an upgrade keeps what was configured",
		"should_init_default"},
	{[]string{"create_challenge"},
		"traps when all places are taken: `too many inflight captchas`",
		"the oldest captcha gives way",
		"otherwise one person keeps everybody out",
		"should_limit_captcha_creation"},
	{[]string{"create_challenge"},
		"the trigger may be Dynamic",
		"installation with it is refused; CaptchaEnabled or CaptchaDisabled",
		"the rate limit bounds registrations already",
		"TestConfig"},
	{[]string{"exit_device_registration_mode", "verify_tentative_device"},
		"any device may close or finish what another has opened",
		"only the device that opened it, or a protected one",
		"rule 7: otherwise a thief has his device verified while the owner reads the code",
		"should_be_finished_by_its_opener"},
	{[]string{"add_tentative_device"},
		"the device is checked when it is verified",
		"it is checked when it is offered, too, and is never protected",
		"rule 7: what cannot be added takes no place",
		"should_check_tentative_device_when_offered"},
	{[]string{"enter_device_registration_mode"},
		"10,000 anchors at most at a time; lost on upgrade",
		"no such cap; the mode is part of its anchor and outlives upgrades",
		"otherwise one person fills it for all",
		"should_survive_upgrades"},
	{[]string{"prepare_delegation", "get_delegation"},
		"session keys of any length",
		"at most 300 bytes, as device keys",
		"what strangers send is bounded",
		"should_refuse_long_frontends_and_session_keys"},
	{[]string{"prepare_delegation"},
		"sessions of up to 30 days",
		"the same, or up to the anchor's own limit if it is shorter",
		"rule 8: sessions outlive the device that began them",
		"should_shorten_expiration_to_session_limit"},
	{[]string{"get_delegation"},
		"a signature is served after its minute until something prunes it",
		"it is refused from the moment of its expiry, and pruned by a timer",
		"what has expired is not handed out",
		"should_not_get_delegation_after_expiration"},
	{[]string{"lookup_device_key"},
		"the anchor that has the credential id",
		"the same if exactly one device with it has ever signed a call; else null, and `lookup_by_credential` lists all",
		"nobody proves possession when a device is added, so a look-up must not choose for its owner",
		"TestLookupDeviceKey"},
	{[]string{"get_anchor_info", "lookup", "get_anchor_credentials"},
		"names, OpenID credentials and tentative sessions, as opt fields",
		"none of these, which a client reads as null; further opt fields: proven, protection's lapse, release, attestation, guard, session limit",
		"no OpenID; what the rules need to be seen",
		"TestCredentials"},
	{[]string{"stats", "config"},
		"the archive, events, and settings of features beside",
		"these fields are empty or not there; `storage_layout_version` counts Kedge's own layouts",
		"no archive: each anchor has its history, for its own devices",
		"TestStats"},
	{[]string{"(upgrade)"},
		"the range of anchors never changes its beginning",
		"it may while there is no anchor",
		"nothing is lost",
		"an empty canister may begin anywhere"},
	{[]string{"lookup_caller_identity_by_recovery_phrase"},
		"the anchor whose recovery phrase calls",
		"the same if the phrase has signed on exactly one; else null, and `lookup_caller` lists all",
		"nobody proves possession when a device is added, so a look-up must not choose for its owner",
		"TestLookupByRecoveryPhrase"},
	{absent,
		"there",
		"not there",
		"no archive: each anchor has its history, for its own devices",
		"TestMethodsThatKedgeDoesNotHave"},
}

// Markdown renders the table.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Where Kedge differs from Internet Identity\n\n" +
		"The classic methods have Internet Identity's types, results and trap texts, with these exceptions. Rules are\n" +
		"those of [design.md](design.md). Each line is shown by the test named in it, in `tests/classic`.\n\n" +
		"| Methods | Internet Identity | Kedge | Why | Test |\n|---|---|---|---|---|\n")
	for _, d := range Differences {
		b.WriteString("| `" + strings.Join(d.Methods, "`, `") + "` | " + d.InternetIdentity + " | " + d.Kedge + " | " + d.Why + " | " + d.Test + " |\n")
	}
	return b.String()
}
