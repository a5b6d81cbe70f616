package classic

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

// locked is what a device reads that touches a protected one.
func locked(protected, actual *harness.Device) string {
	return fmt.Sprintf("Device is locked. Must be authenticated with this device to mutate: authorized principal %s, actual principal %s",
		protected.Principal(), actual.Principal())
}

// keys are the public keys of an anchor's devices in the order in which its devices see them.
func keys(info kedge.IdentityAnchorInfo) (out []string) {
	for _, d := range info.Devices {
		out = append(out, string(d.Pubkey))
	}
	return out
}

// passkey is a device with a credential id.
func passkey(name string) *harness.Device {
	d := harness.NewDevice(name)
	d.Data.CredentialID = []byte("credential of " + name)
	return d
}

func TestDevices(t *testing.T) {
	open := harness.Open(t, nil)
	open.Salt()
	laptop, phone, phrase := harness.NewDevice("laptop"), harness.NewDevice("phone"), harness.NewPhrase("phrase")
	stranger := harness.NewDevice("stranger")
	run := func(name string, test func(h *harness.Harness, anchor uint64)) {
		t.Run(name, func(t *testing.T) {
			h := open.For(t)
			test(h, h.Register(laptop))
		})
	}

	run("should_add_additional_device", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phone))
		require.Equal(h, []string{string(laptop.Key()), string(phone.Key())}, keys(h.Info(anchor, phone)))
	})
	run("should_not_add_existing_device", func(h *harness.Harness, anchor uint64) {
		h.RequireTrap(fmt.Sprintf("failed to add device: Device with key %x already exists on this anchor.", laptop.Key()),
			h.Add(anchor, laptop, laptop))
	})
	run("should_not_add_second_recovery_phrase", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phrase))
		text := "There is already a recovery phrase and only one is allowed."
		h.RequireTrap("failed to add device: "+text, h.Add(anchor, laptop, harness.NewPhrase("second")))
		h.RequireTrap("failed to replace device: "+text, h.Replace(anchor, laptop, laptop, harness.NewPhrase("second")))
		require.NoError(h, h.Replace(anchor, laptop, phrase, harness.NewPhrase("second")), "one for one")
	})
	run("should_not_allow_to_add_recovery_phrase_with_credential_id", func(h *harness.Harness, anchor uint64) {
		odd := harness.NewPhrase("odd")
		odd.Data.CredentialID = []byte("id")
		text := "Devices with key type seed_phrase must not have a credential id."
		h.RequireTrap("failed to add device: "+text, h.Add(anchor, laptop, odd))
		require.NoError(h, h.Add(anchor, laptop, phrase))
		odd.Data.Pubkey = phrase.Key()
		h.RequireTrap("failed to modify device: "+text, h.Update(anchor, laptop, odd))
		_, err := h.TryRegister(odd.Principal(), odd, kedge.ChallengeResult{}, nil)
		h.RequireTrap(fmt.Sprintf("failed to register anchor %d: %s", 10_000+h.Stats().UsersRegistered, text), err)
	})

	// The same sentence from every method that takes a device, whoever the stranger is.
	run("should_not_…_of_different_user", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phone))
		for name, err := range map[string]error{
			"add":     h.Add(anchor, stranger, stranger),
			"update":  h.Update(anchor, stranger, phone),
			"replace": h.Replace(anchor, stranger, phone, stranger),
			"remove":  h.Remove(anchor, stranger, phone),
			"info":    second(h.TryInfo(anchor, stranger)),
			"enter":   second(h.EnterMode(anchor, stranger)),
			"exit":    h.ExitMode(anchor, stranger),
			"verify":  second(h.Verify(anchor, stranger, "123456")),
		} {
			require.NotNil(h, err, name)
			h.RequireTrap(harness.Stranger(stranger.Principal()), err)
		}
		require.Len(h, h.Lookup(anchor), 2)
	})

	run("should_update_device", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, passkey("key")))
		require.NoError(h, h.Add(anchor, laptop, phone))
		changed := passkey("key")
		origin := "https://example.org"
		changed.Data.Alias, changed.Data.Purpose, changed.Data.Origin = "renamed", kedge.PurposeRecovery, &origin
		changed.Data.CredentialID = []byte("another id")
		changed.Data.Metadata = kedge.MetadataMap{{F0: "color", F1: kedge.MetadataValue{Tag: kedge.MetadataValueTagString, String: "red"}}}
		require.NoError(h, h.Update(anchor, phone, changed))
		info := h.Info(anchor, laptop)
		require.Equal(h, []string{string(laptop.Key()), string(changed.Key()), string(phone.Key())}, keys(info), "it keeps its place")
		got := info.Devices[1]
		require.Equal(h, changed.Data, kedge.DeviceData{Pubkey: got.Pubkey, Alias: got.Alias, CredentialID: got.CredentialID, Aaguid: got.Aaguid,
			Purpose: got.Purpose, KeyType: got.KeyType, Protection: got.Protection, Origin: got.Origin, Metadata: got.Metadata})
	})
	run("should_not_modify_pubkey", func(h *harness.Harness, anchor uint64) {
		_, err := h.Call(laptop.Principal(), "update", kedge.EncodeUpdateArgs(anchor, laptop.Key(), phone.Data))
		h.RequireTrap("failed to modify device: Device key cannot be updated.", err)
	})
	run("should_not_modify_unknown_device", func(h *harness.Harness, anchor uint64) {
		h.RequireTrap("failed to modify device: Could not find device to update, check device key", h.Update(anchor, laptop, phone))
		text := fmt.Sprintf("Device with key %x not found.", phone.Key())
		h.RequireTrap("failed to remove device: "+text, h.Remove(anchor, laptop, phone))
		h.RequireTrap("failed to replace device: "+text, h.Replace(anchor, laptop, phone, phrase))
	})
	run("should_not_change_key_type_by_update", func(h *harness.Harness, anchor uint64) {
		changed := *laptop
		changed.Data.KeyType = kedge.KeyTypePlatform
		h.RequireTrap("failed to modify device: Device key type cannot be updated; replace the device instead.", h.Update(anchor, laptop, &changed))
	})

	run("should_not_…_protected_with_different_device", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phrase))
		require.NoError(h, h.Update(anchor, phrase, phrase.Marked()))
		text := locked(phrase, laptop)
		h.RequireTrap("failed to modify device: "+text, h.Update(anchor, laptop, phrase.Marked().Renamed("x")))
		h.RequireTrap("failed to modify device: "+text, h.Update(anchor, laptop, phrase))
		h.RequireTrap("failed to remove device: "+text, h.Remove(anchor, laptop, phrase))
		h.RequireTrap("failed to replace device: "+text, h.Replace(anchor, laptop, phrase, phone))
	})
	run("should_update_protected_device", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phrase))
		require.NoError(h, h.Update(anchor, phrase, phrase.Marked().Renamed("mine")))
		require.NoError(h, h.Update(anchor, phrase, phrase.Marked().Renamed("still mine")))
		require.Equal(h, "still mine", h.Info(anchor, phrase).Devices[1].Alias)
		require.NoError(h, h.Update(anchor, phrase, phrase), "it unprotects itself")
		require.NoError(h, h.Remove(anchor, laptop, phrase))
	})
	run("should_remove_protected_device", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phrase))
		require.NoError(h, h.Update(anchor, phrase, phrase.Marked()))
		require.NoError(h, h.Remove(anchor, phrase, laptop), "it removes others")
		require.NoError(h, h.Add(anchor, phrase, phone))
		require.NoError(h, h.Remove(anchor, phrase, phrase))
	})
	run("should_not_protect_another_device", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phrase))
		h.RequireTrap("failed to modify device: the first protection of an anchor is granted by the device itself; sign with the device that is to be protected",
			h.Update(anchor, laptop, phrase.Marked()))
		h.RequireTrap("failed to add device: the first protection of an anchor is granted by the device itself; sign with the device that is to be protected",
			h.Add(anchor, laptop, phone.Marked()))
	})
	run("should_protect_any_kind_of_device", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Update(anchor, laptop, laptop.Marked()))
		key := passkey("hardware key")
		key.Data.KeyType, key.Data.Protection = kedge.KeyTypeCrossPlatform, kedge.DeviceProtectionProtected
		require.NoError(h, h.Add(anchor, laptop, key))
		_, marked := h.Has(anchor, key)
		require.True(h, marked)
	})

	run("should_refuse_unprotected_devices_while_guarded", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phrase))
		require.NoError(h, h.Add(anchor, laptop, phone))
		require.NoError(h, h.Protect(anchor, phrase, phrase))
		require.NoError(h, h.Guard(anchor, phrase, true))
		text := "the anchor is guarded: only a protected device may do this; sign with one, or have one switch the guard off"
		h.RequireTrap("failed to add device: "+text, h.Add(anchor, laptop, stranger))
		h.RequireTrap("failed to modify device: "+text, h.Update(anchor, laptop, phone.Renamed("x")))
		h.RequireTrap("failed to replace device: "+text, h.Replace(anchor, laptop, laptop, laptop))
		h.RequireTrap("failed to remove device: "+text, h.Remove(anchor, laptop, phone))
		h.RequireTrap(text, second(h.EnterMode(anchor, laptop)))
		h.RequireTrap(text, h.ExitMode(anchor, laptop))
		h.RequireTrap(text, second(h.Verify(anchor, laptop, "123456")))
		require.NoError(h, h.Update(anchor, laptop, laptop.Renamed("mine")))
		require.NoError(h, h.Remove(anchor, laptop, laptop))
	})
	run("should_not_add_a_credential_id_twice", func(h *harness.Harness, anchor uint64) {
		key, same := passkey("key"), harness.NewDevice("same credential")
		same.Data.CredentialID = key.Data.CredentialID
		require.NoError(h, h.Add(anchor, laptop, key))
		text := fmt.Sprintf("Another device of this anchor has this credential id: %x", key.Key())
		h.RequireTrap("failed to add device: "+text, h.Add(anchor, laptop, same))
		h.RequireTrap("failed to replace device: "+text, h.Replace(anchor, laptop, laptop, same))
		same.Data.Pubkey = laptop.Key()
		h.RequireTrap("failed to modify device: "+text, h.Update(anchor, laptop, same))
		same.Data.Pubkey = harness.KeyOf("another key")
		require.NoError(h, h.Replace(anchor, laptop, key, same), "one for one")
	})
	run("should_refuse_keys_that_never_sign", func(h *harness.Harness, anchor uint64) {
		fake := passkey("fake")
		fake.Data.Pubkey = []byte("no public key")
		text := "A device with a credential id needs a public key that can sign: it is not a public key in DER (SubjectPublicKeyInfo)."
		h.RequireTrap("failed to add device: "+text, h.Add(anchor, laptop, fake))
		h.RequireTrap("failed to replace device: "+text, h.Replace(anchor, laptop, laptop, fake))
		_, err := h.TryRegister(fake.Principal(), fake, kedge.ChallengeResult{}, nil)
		h.RequireTrap(text, err)
		_, err = h.EnterMode(anchor, laptop)
		require.NoError(h, err)
		_, err = h.Offer(anchor, fake, fake)
		h.RequireTrap(text, err)

		// Without a credential id whatever key is taken: it is nobody's in any look-up. It gets none later.
		fake.Data.CredentialID = nil
		require.NoError(h, h.Add(anchor, laptop, fake))
		fake.Data.Alias = "renamed"
		require.NoError(h, h.Update(anchor, laptop, fake))
		fake.Data.CredentialID = []byte("later")
		h.RequireTrap("failed to modify device: "+text, h.Update(anchor, laptop, fake))
	})
	run("should_not_add_its_own_signature_as_device", func(h *harness.Harness, anchor uint64) {
		user, _, err := h.Prepare(anchor, laptop, forum, session, nil)
		require.NoError(h, err)
		own := harness.NewDevice("own")
		own.Data.Pubkey = user
		text := "a canister signature of this canister cannot be a device key; add the device's own key"
		h.RequireTrap("failed to add device: "+text, h.Add(anchor, laptop, own))
		h.RequireTrap("failed to replace device: "+text, h.Replace(anchor, laptop, laptop, own))
		require.ErrorContains(h, second(h.TryRegister(own.Principal(), own, kedge.ChallengeResult{}, nil)), text)
		_, err = h.EnterMode(anchor, laptop)
		require.NoError(h, err)
		h.RequireTrap("failed to add device: "+text, second(h.Offer(anchor, own, own)))
	})

	run("should_remove_device", func(h *harness.Harness, anchor uint64) {
		for _, d := range []*harness.Device{phone, phrase} {
			require.NoError(h, h.Add(anchor, laptop, d))
		}
		require.NoError(h, h.Remove(anchor, phone, laptop), "any device removes any other")
		require.NoError(h, h.Remove(anchor, phone, phone), "and itself")
		require.Equal(h, []string{string(phrase.Key())}, keys(h.Info(anchor, phrase)))
		h.RequireTrap(harness.Stranger(laptop.Principal()), second(h.TryInfo(anchor, laptop)))
	})
	run("should_not_remove_last_device", func(h *harness.Harness, anchor uint64) {
		h.RequireTrap("failed to remove device: the last device of an anchor cannot be removed; add another first, or replace it",
			h.Remove(anchor, laptop, laptop))
	})
	run("should_replace_device", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phone))
		require.NoError(h, h.Replace(anchor, laptop, laptop, passkey("new laptop")))
		info := h.Info(anchor, phone)
		require.Equal(h, []string{string(phone.Key()), string(passkey("new laptop").Key())}, keys(info), "the new one comes last")
		require.Nil(h, info.Devices[1].LastUsage)
		require.Len(h, h.Info(anchor, passkey("new laptop")).Devices, 2)
		h.RequireTrap(fmt.Sprintf("failed to replace device: Device with key %x already exists on this anchor.", phone.Key()),
			h.Replace(anchor, phone, passkey("new laptop"), phone))
		require.NoError(h, h.Replace(anchor, phone, phone, phone), "with its own key")
		require.Equal(h, []string{string(passkey("new laptop").Key()), string(phone.Key())}, keys(h.Info(anchor, phone)))
	})

	run("should_lookup", func(h *harness.Harness, anchor uint64) {
		named := phone.Renamed("secret name")
		named.Data.Metadata = kedge.MetadataMap{{F0: "color", F1: kedge.MetadataValue{Tag: kedge.MetadataValueTagString, String: "red"}}}
		require.NoError(h, h.Add(anchor, laptop, named))
		require.NoError(h, h.Add(anchor, laptop, passkey("key")))
		h.Info(anchor, named)
		var got []string
		for _, d := range h.Lookup(anchor) {
			require.Empty(h, d.Alias)
			require.Nil(h, d.Metadata)
			got = append(got, string(d.Pubkey))
		}
		require.Equal(h, []string{string(named.Key()), string(laptop.Key()), string(passkey("key").Key())}, got, "the one used last first")
		require.Empty(h, h.Lookup(9_999_999_999))
		require.Empty(h, h.Lookup(0))
	})

	run("should_set_last_usage_on_…", func(h *harness.Harness, anchor uint64) {
		used := func() (out []uint64) {
			for _, d := range h.Info(anchor, phrase).Devices {
				if d.LastUsage == nil {
					out = append(out, 0)
				} else {
					out = append(out, *d.LastUsage)
				}
			}
			return out
		}
		require.NoError(h, h.Add(anchor, laptop, phone))
		require.NoError(h, h.Add(anchor, laptop, phrase))
		before := used()
		require.NotZero(h, before[0], "registration and add")
		require.Zero(h, before[1], "being added is no use")
		for name, call := range map[string]func() error{
			"get_anchor_info": func() error { return second(h.TryInfo(anchor, phone)) },
			"add":             func() error { return h.Add(anchor, phone, stranger) },
			"update":          func() error { return h.Update(anchor, phone, laptop.Renamed("x")) },
			"enter":           func() error { return second(h.EnterMode(anchor, phone)) },
			"exit":            func() error { return h.ExitMode(anchor, phone) },
		} {
			h.Pass(time.Second)
			now := h.Now()
			require.NoError(h, call(), name)
			after := used()
			require.GreaterOrEqual(h, after[1], now, name)
			require.Equal(h, before[0], after[0], "%s: the device that signs alone", name)
		}
		h.Lookup(anchor)
		_, err := h.PrincipalAt(anchor, laptop, forum)
		require.NoError(h, err)
		require.Equal(h, before[0], used()[0], "queries are no use")
	})
	run("should_not_write_last_usage", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phone))
		h.Info(anchor, phone)
		was := h.Info(anchor, laptop).Devices[1].LastUsage
		require.NoError(h, h.Update(anchor, laptop, phone.Renamed("x")))
		require.Equal(h, was, h.Info(anchor, laptop).Devices[1].LastUsage, "update keeps it")
	})
	run("should_add_device_with_key_type_browser_storage_key", func(h *harness.Harness, anchor uint64) {
		browser := harness.NewDevice("browser")
		browser.Data.KeyType = kedge.KeyTypeBrowserStorageKey
		require.NoError(h, h.Add(anchor, laptop, browser))
		require.Equal(h, kedge.KeyTypeBrowserStorageKey, h.Info(anchor, laptop).Devices[1].KeyType)
		require.Empty(h, h.Credentials(anchor).Credentials, "nothing to sign in with on another machine")
	})
	run("should_add_a_device_to_many_anchors", func(h *harness.Harness, anchor uint64) {
		second := h.Register(laptop)
		require.Equal(h, anchor+1, second)
		require.Len(h, h.Info(second, laptop).Devices, 1)
	})
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }
